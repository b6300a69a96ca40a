"""The door for users of LiveKit: `from stt_assemblyai.stt import STT`."""

from stt_assemblyai.livekit.stream import SpeechStream
from stt_assemblyai.livekit.stt import STT

__all__ = ["STT", "SpeechStream"]
