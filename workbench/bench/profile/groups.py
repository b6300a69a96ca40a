"""Which part of a call a Python function works for, by the innermost frame that tells."""

from collections.abc import Sequence

__all__ = ["LOOP", "group_of"]

LOOP = "asyncio itself"

# Part of a frame as the sampler writes it, "Class.function (package/file.py:line)". The first
# rule that fits a frame counts, and the innermost frame that a rule fits.
_RULES: tuple[tuple[str, str], ...] = (
    ("ffi_event_callback", "FFI: events decoded"),
    ("FfiQueue.", "FFI: events handed out"),
    ("agent/livekit_private/events.py", "FFI: events handed out"),
    ("FfiClient.request", "FFI: requests"),
    ("FfiHandle.", "FFI: requests"),
    ("agents/telemetry/loop_monitor", "loop monitor"),
    ("agents/voice/transcription/", "transcripts: in step with the voice"),
    ("rtc/data_stream", "transcripts: text streams"),
    ("TranscriptionOutput", "transcripts: text streams"),
    ("publish_transcription", "transcripts: text streams"),
    ("agent/call/voices/", "voice detector"),
    ("agents/vad.py", "voice detector"),
    ("plugins/silero/", "voice detector"),
    ("stt_assemblyai/", "speech to text"),
    ("agents/stt/", "speech to text"),
    ("agent/call/turn_record/", "turn record"),
    ("agent/call/history/", "turn record"),
    ("agent/records/", "turn record"),
    ("pydantic/", "pydantic"),
    ("openai/", "language model and voice"),
    ("httpx/", "language model and voice"),
    ("httpcore/", "language model and voice"),
    ("anyio/", "language model and voice"),
    ("agents/llm/", "language model and voice"),
    ("agents/tts/", "language model and voice"),
    ("agents/inference/", "language model and voice"),
    ("agent/call/models/", "language model and voice"),
    ("opentelemetry/", "traces and metrics"),
    ("agents/telemetry/", "traces and metrics"),
    ("agents/metrics/", "traces and metrics"),
    ("agent/worker/tally", "traces and metrics"),
    ("agent/worker/observations", "traces and metrics"),
    ("logging/", "logging"),
    ("agents/ipc/log_queue", "logging"),
    ("agents/ipc/", "pipe to the worker"),
    ("multiprocessing/connection", "pipe to the worker"),
    ("rtc/audio_source", "sound out"),
    ("agent/call/output/", "sound out"),
    ("agents/voice/room_io/_output", "sound out"),
    ("agent/call/reply/", "reply in pieces"),
    ("agents/tokenize/", "reply in pieces"),
    ("rtc/audio_stream", "sound in"),
    ("rtc/audio_frame", "sound in"),
    ("agents/voice/room_io/_input", "sound in"),
    ("agents/voice/io.py", "sound in"),
    ("_forward_audio", "sound in"),
    ("agents/voice/audio_recognition", "session: recognition"),
    ("agent/call/barge_in/", "session: barge-in"),
    ("agent/call/turns/", "session: turns"),
    ("agents/voice/", "session: LiveKit's"),
    ("agent/", "session: ours"),
    ("rtc/", "room"),
)


def group_of(frames: Sequence[str]) -> str:
    """The group of one sampled stack, outermost frame first."""
    for frame in reversed(frames):
        for part, group in _RULES:
            if part in frame and "proc_client" not in frame and "job_proc" not in frame:
                return group
    return LOOP
