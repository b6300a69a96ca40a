"""A recorded conversation between our client and the service: JSON lines, read and written.

The first line says what was asked for and how much audio came; then one line for each step, in the
order in which they happened; the last line holds what the listener was told. Audio is written as
sizes alone. A recording holds no key, no token, no date, and no word unless it was asked to.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

__all__ = ["Dialled", "PeerClosed", "Received", "Recording", "SentAudio", "SentText", "Step"]


class _Line(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class _Step(_Line):
    connection: int
    at_ms: int
    """Since the stream began."""


class Dialled(_Step):
    """The client asked for a session."""

    step: Literal["dialled"] = "dialled"
    query: str


class SentAudio(_Step):
    """Audio messages of the same size, with nothing else between them."""

    step: Literal["sent audio"] = "sent audio"
    size: int
    count: int = 1


class SentText(_Step):
    """The client said something."""

    step: Literal["sent"] = "sent"
    message: dict[str, Any]


class Received(_Step):
    """The service said something."""

    step: Literal["received"] = "received"
    message: dict[str, Any]


class PeerClosed(_Step):
    """The connection ended, and it was not the client who ended it."""

    step: Literal["closed"] = "closed"
    code: int
    reason: str


Step = Dialled | SentAudio | SentText | Received | PeerClosed
_STEPS: TypeAdapter[Step] = TypeAdapter(Annotated[Step, Field(discriminator="step")])


class _Head(_Line):
    note: str
    options: dict[str, Any]
    audio_ms: int


class _Outcome(_Line):
    told: tuple[str, ...]


class Recording(_Line):
    """A whole conversation."""

    note: str
    options: dict[str, Any]
    audio_ms: int
    """How much audio the stream was given, in real time; then its input ended."""
    steps: tuple[Step, ...]
    told: tuple[str, ...]
    """What the listener was told, one line for each event."""

    def save(self, path: Path) -> None:
        """Write it, replacing what was there."""
        head = _Head(note=self.note, options=self.options, audio_ms=self.audio_ms)
        lines: Iterable[BaseModel] = (head, *self.steps, _Outcome(told=self.told))
        path.write_text("".join(f"{line.model_dump_json()}\n" for line in lines), encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> "Recording":
        """Raises `ValueError` naming what is wrong with a line."""
        first, *middle, last = path.read_text(encoding="utf-8").splitlines()
        head, outcome = _Head.model_validate_json(first), _Outcome.model_validate_json(last)
        steps = tuple(_STEPS.validate_json(line) for line in middle)
        return cls(**head.model_dump(), steps=steps, told=outcome.told)
