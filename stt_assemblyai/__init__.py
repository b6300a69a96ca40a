"""AssemblyAI Universal-Streaming: from PCM to speech events.

The LiveKit adapter is `stt_assemblyai.stt`. It is not imported here, because LiveKit takes seconds
to import.
"""
