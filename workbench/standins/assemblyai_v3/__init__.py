"""AssemblyAI's streaming speech-to-text, version 3, as the protocol notes describe it."""
