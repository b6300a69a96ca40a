"""AssemblyAI Universal-Streaming: from PCM to speech events.

`STT` is for LiveKit; without LiveKit, use `stt_assemblyai.transcriber`. LiveKit takes seconds to
import, so this module imports it only when `STT` is asked for.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stt_assemblyai.stt import STT as STT

__all__ = ["STT"]


def __getattr__(name: str) -> object:
    if name != "STT":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from stt_assemblyai.stt import STT

    return STT
