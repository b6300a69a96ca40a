"""What the session hears: the voice of one participant, or of everybody in the room."""
