"""The command line: `python -m stt_assemblyai FILE`. It needs neither LiveKit nor a server."""
