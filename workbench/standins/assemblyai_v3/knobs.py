"""How the stand-in behaves when nothing is wrong (protocol notes, section 15), and how it fails."""

from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict


@dataclass(frozen=True, slots=True)
class Knobs:
    """The defaults suit tests; the live service's figures stand behind them."""

    begin_delay_ms: int = 20
    """Live about 1200."""
    reject_delay_ms: int = 10
    """Live 600 to 900."""
    session_cap_seconds: float = 10_800
    min_frame_ms: int = 50
    max_frame_ms: int = 1000
    short_frames_limit_ms: int = 1000
    """This much audio in frames that are too short is the end."""
    max_message_bytes: int = 131_072
    throttle: float | None = 1.25
    """Audio is processed at most this much faster than it would be spoken; None is: at once."""
    throttle_burst_ms: int = 1000
    max_backlog_seconds: float = 300
    transcript_delay_ms: int = 0
    """How far a Turn comes behind the sound that it is about. Live some 100 to 300."""
    transcript_jitter_ms: int = 0
    """And up to so much more, by chance; the order stays."""
    format_twin_delay_ms: int | None = 150
    """None: the formatted twin never comes."""
    tells_late: bool = False
    """US models: until a turn's end its confidence is low, its last word is open, cut while it is
    being said, and no utterance is told (section 8.1)."""
    force_endpoint_delay_ms: int = 5
    """Live about 270."""
    termination_delay_ms: int = 50
    """Live 550 to 1200."""
    inactivity_unit_seconds: float = 1
    """How long a second of `inactivity_timeout` lasts; a test need not wait five of them."""
    not_entitled_after_seconds: float = 5
    """How long after Begin a preview model answers 3005."""
    heartbeat_seconds: float = 5
    silence_seconds: float = 1
    new_sessions_per_minute: int | None = None
    """None: as many as you like."""


class Fault(BaseModel):
    """What goes wrong with one connection. Audio times are milliseconds of session audio."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    upgrade_delay_ms: int = 0
    hang_before_upgrade: bool = False
    http_status: int | None = None
    reject: tuple[int, str] | None = None
    """This Error instead of Begin."""
    begin_delay_ms: int | None = None
    never_begin: bool = False
    drop_at_ms: int | None = None
    """The TCP connection breaks off at this audio time."""
    half_open_at_ms: int | None = None
    """From here on nothing is read and nothing is sent, and the connection stays."""
    error_at_ms: int | None = None
    error: tuple[int, str] = (3005, "Session Cancelled: An error occurred")
    close_without_error_frame: bool = False
    session_cap_seconds: float | None = None
    termination_delay_ms: int | None = None
    never_terminate: bool = False
    never_twin: bool = False
    empty_final: bool = False
    """An empty final on Terminate, whose language is null."""
    extra_fields: dict[str, Any] = {}
    """Added to each message."""
    changed_fields: dict[str, dict[str, Any]] = {}
    """Fields by the type of message: they stand in place of its own."""
    changed_words: dict[str, Any] = {}
    """Fields that stand in each word of a Turn in place of its own."""
    extra_messages: tuple[tuple[int, dict[str, Any]], ...] = ()
    """(audio time, message): sent as they are."""

    def applied_to(self, message: dict[str, Any]) -> dict[str, Any]:
        """The message as it is sent."""
        changed = {**message, **self.extra_fields}
        if self.changed_words and "words" in changed:
            changed["words"] = [{**word, **self.changed_words} for word in changed["words"]]
        return {**changed, **self.changed_fields.get(str(message.get("type")), {})}


NO_FAULT = Fault()
