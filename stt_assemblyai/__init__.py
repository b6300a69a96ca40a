"""AssemblyAI Universal-Streaming: from PCM to speech events.

The LiveKit adapter is `stt_assemblyai.stt`; it is not imported here, since LiveKit takes seconds.
"""
