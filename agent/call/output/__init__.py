"""What the caller hears: the session's voice, recorded sentences and sounds beside it."""
