"""Output of the program: finals to standard output, all else to standard error."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any, Literal

import typer

from stt_assemblyai.events import Final, Interim, Interrupted, Opened, SessionUsage, StreamEvent
from stt_assemblyai.transcript import Transcript

__all__ = ["BY_SIGNAL", "FAILED", "Output", "as_json", "as_text", "end_as_json", "visible"]

# What moves a terminal's cursor, ends a line, or turns the direction of writing.
_UNSEEN = re.compile("[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")

FAILED = 1
BY_SIGNAL = 128  # plus a signal's number: the exit code of a program that it ended


class Output:
    """Prints: finals to standard output, all else to standard error."""

    def __init__(
        self, style: Literal["text", "jsonl"], stop: Callable[[int], None], seconds: float | None
    ) -> None:
        self._render = {"text": as_text, "jsonl": as_json}[style]
        self._tells_end = style == "jsonl"
        self._stop = stop
        self._of = f" of {_clock(seconds)}" if seconds else ""
        self._is_watched = sys.stderr.isatty()
        self._heard_ms = 0
        self._open_turn = ""

    def write(self, event: StreamEvent) -> None:
        """Print an event of the stream, if it is worth printing."""
        match event:
            case Final(transcript=transcript):
                self.clear()
                self._print(self._render(transcript))
                self._open_turn = ""
            case Interim(transcript=transcript):
                self._open_turn = transcript.text
                self._show()
            case Interrupted(error=error, wait_seconds=wait):
                self.note(f"{error} Trying again in {wait:.1f} s.")
            case Opened(mismatches=mismatches) if mismatches:
                self.note(f"The service did not take as asked: {', '.join(mismatches)}.")
            case _:
                pass

    def heard(self, audio_ms: int) -> None:
        """Show how much sound has been pushed so far."""
        if audio_ms // 1000 != self._heard_ms // 1000:
            self._heard_ms = audio_ms
            self._show()

    def end(self, audio_ms: int, usage: Sequence[SessionUsage]) -> None:
        """End the output; in JSON, print what was heard and what it cost."""
        self.clear()
        if self._tells_end:
            self._print(end_as_json(audio_ms, usage))

    def note(self, sentence: str) -> None:
        self.clear()
        typer.echo(visible(sentence), err=True)

    def clear(self) -> None:
        """Remove the progress line."""
        if self._is_watched:
            typer.echo("\r\x1b[K", err=True, nl=False)

    def _show(self) -> None:
        if self._is_watched:
            line = f"{_clock(self._heard_ms / 1000)}{self._of}  "
            room = max(0, shutil.get_terminal_size().columns - len(line) - 1)
            tail = visible(self._open_turn)[-room:] if room else ""
            typer.echo(f"\r\x1b[K{line}{tail}", err=True, nl=False)

    def _print(self, line: str) -> None:
        try:
            typer.echo(visible(line))
        except OSError as error:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            if isinstance(error, BrokenPipeError):  # the reader has gone
                return self._stop(BY_SIGNAL + signal.SIGPIPE)
            self.note(f"Standard output cannot be written: {error.strerror}.")
            self._stop(FAILED)


def visible(text: str) -> str:
    """The text with each character that a terminal would obey escaped as in JSON."""
    return _UNSEEN.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def as_text(transcript: Transcript) -> str:
    """One line: the words, after the speaker's name if speakers are labelled."""
    return f"{transcript.speaker}: {transcript.text}" if transcript.speaker else transcript.text


def as_json(transcript: Transcript) -> str:
    """One line: a JSON object with times in milliseconds since the sound began."""
    words: list[dict[str, Any]] = [asdict(word) for word in transcript.words]
    for word in words:
        del word["final"]  # true for all of them
    line = {
        "type": "turn",
        "text": transcript.text,
        "start_ms": transcript.start_ms,
        "end_ms": transcript.end_ms,
        "words": words,
        "speaker": transcript.speaker,
        "language": transcript.language,
        "session_id": transcript.session_id,
    }
    text = json.dumps(line, ensure_ascii=False)
    return text if _can_show(text) else json.dumps(line)


def end_as_json(audio_ms: int, usage: Sequence[SessionUsage]) -> str:
    """The last line: a JSON object with the seconds heard and billed, and the sessions."""
    line = {
        "type": "end",
        "audio_seconds": audio_ms / 1000,
        "billed_seconds": round(sum(session.billed_seconds for session in usage), 3),
        "estimated": any(session.estimated for session in usage),
        "sessions": Counter(session.reason for session in usage),
    }
    return json.dumps(line)


def _can_show(text: str) -> bool:
    """Whether standard output's encoding has all these characters; if not, JSON escapes them."""
    try:
        text.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes:02}:{rest:02}"
