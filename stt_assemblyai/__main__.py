"""`python -m stt_assemblyai FILE`: what is said in a file or on standard input, as text.

It stands alone: it needs neither a LiveKit server nor the rest of this project.
"""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import logging
import signal
from collections.abc import Iterator
from typing import Annotated, Literal

import typer
from pydantic import ConfigDict, Field, SecretStr, ValidationError, field_validator
from pydantic_core import PydanticCustomError

from stt_assemblyai.client import DEFAULT_BASE_URL, Socket, connect
from stt_assemblyai.endpointing import TurnChoices
from stt_assemblyai.errors import AssemblyAIError
from stt_assemblyai.options import SessionOptions
from stt_assemblyai.pace import Pacer
from stt_assemblyai.page import BY_SIGNAL, Page
from stt_assemblyai.sound import Sound, UnreadableError, open_sound
from stt_assemblyai.transcriber import Timing, Transcriber

FAILED, USAGE, UNREADABLE = 1, 2, 3

_PIECE_MS = 100
_LAST_WORDS_SECONDS = 10.0  # after Ctrl-C: the open turn's end, and the service's goodbye
# Nobody waits for an answer here: formatting may take its time, and an outage loses nothing that
# fits into memory (115 MB an hour at 16 kHz, and only while the service is away).
_TIMING = Timing(keep_seconds=3600)
_CHOICES = TurnChoices(wait_for_formatted_ms=3000, replies=False)

HELP = """Write down what is said in a sound file, or on standard input.

FILE is a file of any usual format, or - for standard input: WAV, or raw PCM (signed 16 bit,
little-endian), heard as it arrives. Sentences are printed as soon as they are final; progress is
shown where standard error is a terminal. Ctrl-C ends the open sentence, prints it, and stops.

With --format jsonl every line is a JSON object: of type turn with text, start_ms, end_ms, words,
speaker, language and session_id; the last one of type end with audio_seconds, billed_seconds,
whether that is estimated, and how many sessions were opened for which reason.

\b
Ends with  0  when everything was transcribed
           1  when the service or the network failed; the reason is said
           2  when the command line is wrong; every fault is named
           3  when the sound cannot be read
         130  after Ctrl-C, when what had been heard was printed
"""


class Order(SessionOptions):
    """Everything that can be asked for, beside the session's parameters."""

    model_config = ConfigDict(hide_input_in_errors=True)

    format: Literal["text", "jsonl"] = Field(
        default="text",
        description="text: a line for each sentence; jsonl: a JSON object "
        "with times and words, and one at the end with what it cost.",
    )
    speed: float = Field(
        default=1.0,
        gt=0,
        le=1.25,
        description="How fast a file is sent; 1 is as it was spoken, and the service follows up "
        "to 1.25.",
    )
    channels: int = Field(default=1, ge=1, le=32, description="Channels of raw PCM.")
    api_key: SecretStr = Field(description="AssemblyAI's API key; better set the variable.")
    base_url: Annotated[str, Field(pattern=r"^wss?://[^/]")] = Field(
        default=DEFAULT_BASE_URL, description="Scheme and host of the streaming service."
    )

    @field_validator("encoding")
    @classmethod
    def _is_made_from_pcm(cls, encoding: str) -> str:
        if encoding not in ("pcm_s16le", "pcm_mulaw"):
            raise PydanticCustomError("encoding", "sound is sent as pcm_s16le or pcm_mulaw")
        return encoding

    @field_validator("api_key")
    @classmethod
    def _fits_a_header(cls, key: SecretStr) -> SecretStr:
        text = key.get_secret_value()
        if not text or not text.isascii() or not text.isprintable() or " " in text:
            raise PydanticCustomError("key", "is empty or has a character that no key has")
        return key

    def session(self, sample_rate: int) -> SessionOptions:
        """The session's parameters alone, for sound of this rate."""
        names = SessionOptions.model_fields.keys() & self.model_fields_set
        given = {name: getattr(self, name) for name in names}
        return SessionOptions.model_validate(given | {"sample_rate": sample_rate})


def _signature() -> inspect.Signature:
    """The command's parameters: the file, and an option for each field of an order."""
    file = typer.Argument(metavar="FILE|-", show_default=False)
    options = [
        inspect.Parameter(
            name,
            inspect.Parameter.KEYWORD_ONLY,
            default=None,
            annotation=Annotated[
                str | None,
                typer.Option(
                    f"--{name.replace('_', '-')}",
                    help=field.description,
                    metavar="TEXT",
                    envvar=f"ASSEMBLYAI_{name.upper()}"
                    if name in ("api_key", "base_url")
                    else None,
                    rich_help_panel="Session" if name in SessionOptions.model_fields else None,
                ),
            ],
        )
        for name, field in sorted(
            Order.model_fields.items(), key=lambda item: item[0] in SessionOptions.model_fields
        )
    ]
    given = inspect.Parameter(
        "file", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=Annotated[str, file]
    )
    return inspect.Signature([given, *options])


def transcribe(file: str, **given: str | None) -> None:
    """What the command does; it ends the program."""
    try:
        order = Order.model_validate({n: text for n, text in given.items() if text is not None})
    except ValidationError as error:
        for fault in error.errors():
            name = "--" + str(fault["loc"][0]).replace("_", "-")
            wrong = "is missing" if fault["type"] == "missing" else fault["msg"]
            hint = " (or set ASSEMBLYAI_API_KEY)" if name == "--api-key" else ""
            typer.echo(f"{name}: {wrong}{hint}", err=True)
        raise SystemExit(USAGE) from None
    logging.getLogger("stt_assemblyai").addHandler(logging.NullHandler())  # said by ourselves
    try:
        code = asyncio.run(_transcribe(file, order))
    except UnreadableError as error:
        typer.echo(str(error), err=True)
        code = UNREADABLE
    except KeyboardInterrupt:  # before there was any sound
        code = BY_SIGNAL + signal.SIGINT
    raise SystemExit(code)


transcribe.__signature__ = _signature()  # type: ignore[attr-defined]  # typer reads it


async def _transcribe(file: str, order: Order) -> int:
    async with open_sound(
        file,
        sample_rate=order.sample_rate if "sample_rate" in order.model_fields_set else None,
        channels=order.channels,
    ) as sound:
        hearing = Hearing(sound, order)
        with hearing.ended_by_signals():
            return await hearing.run(speed=order.speed if file != "-" else 1.25)


class Hearing:
    """One stream from a sound to the printed page."""

    def __init__(self, sound: Sound, order: Order) -> None:
        self._sound = sound
        self._page = Page(order.format, self.stop, sound.seconds)
        self._deadline = asyncio.timeout(None)
        self._code = 0

        def dial(query: str) -> contextlib.AbstractAsyncContextManager[Socket]:
            return connect(order.base_url, query, order.api_key)

        options = order.session(sound.sample_rate)
        self._transcriber = Transcriber(
            dial, options, self._page.write, timing=_TIMING, choices=_CHOICES
        )

    async def run(self, *, speed: float) -> int:
        """The exit code, once the last words are printed."""
        self._feeding = asyncio.create_task(self._feed(speed))
        try:
            async with self._deadline:
                try:
                    await self._transcriber.run()
                finally:
                    self._page.end(self._transcriber.audio_ms, self._transcriber.bills)
        except AssemblyAIError as error:
            self._page.note(str(error))
            self._code = self._code or FAILED
        except TimeoutError:
            self._page.note("The service did not finish in time: last words may be missing.")
        finally:
            self._feeding.cancel()
            await asyncio.wait([self._feeding])
            self._page.clear()
        if not self._feeding.cancelled():
            self._feeding.result()  # the sound may be at fault
        return self._code

    def stop(self, code: int) -> None:
        """Hear no more, but finish what has been heard; asked twice, hurry."""
        loop = asyncio.get_running_loop()
        hurried = self._code != 0
        self._code = code
        self._feeding.cancel()
        if not self._deadline.expired():
            self._deadline.reschedule(loop.time() + (0 if hurried else _LAST_WORDS_SECONDS))

    @contextlib.contextmanager
    def ended_by_signals(self) -> Iterator[None]:
        """Ctrl-C and SIGTERM stop it in order."""
        loop, signals = asyncio.get_running_loop(), (signal.SIGINT, signal.SIGTERM)
        for number in signals:
            loop.add_signal_handler(number, self.stop, BY_SIGNAL + number)
        try:
            yield
        finally:
            for number in signals:
                loop.remove_signal_handler(number)

    async def _feed(self, speed: float) -> None:
        """Live sound never waits; what could come faster comes at this pace, and not at once."""
        loop, pacer = asyncio.get_running_loop(), Pacer(speed)
        bytes_per_ms = self._sound.sample_rate * 2 / 1000
        step = round(bytes_per_ms * _PIECE_MS) // 2 * 2
        try:
            async for pcm in self._sound.pieces:
                for at in range(0, len(pcm), step):
                    piece = pcm[at : at + step]
                    await asyncio.sleep(pacer.delay(loop.time()))
                    self._transcriber.push(piece)
                    pacer.sent(loop.time(), len(piece) / bytes_per_ms)
                    self._page.heard(self._transcriber.audio_ms)
        finally:
            self._transcriber.end_input()


def main() -> None:
    """Run the command that the arguments ask for."""
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)
    app.command(help=HELP)(transcribe)
    app(prog_name="python -m stt_assemblyai")


if __name__ == "__main__":
    main()
