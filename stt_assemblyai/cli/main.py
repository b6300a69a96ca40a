"""`python -m stt_assemblyai FILE`: transcribes a file or standard input.

It stands alone and needs neither a LiveKit server nor the rest of this project.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import sys
import warnings
from collections.abc import Iterator

import typer
from pydantic import ValidationError

from stt_assemblyai.cli.input import AudioInput, UnreadableError, open_input
from stt_assemblyai.cli.options import CommandOptions, signature
from stt_assemblyai.cli.output import BY_SIGNAL, FAILED, Output
from stt_assemblyai.client import Socket, connect
from stt_assemblyai.endpointing import TurnChoices
from stt_assemblyai.errors import AssemblyAIError
from stt_assemblyai.events import Interrupted, Opened, StreamEvent
from stt_assemblyai.outbox import Pacer
from stt_assemblyai.service import FASTEST_SPEED
from stt_assemblyai.timing import Timing
from stt_assemblyai.transcriber import StreamConfig, Transcriber

USAGE, UNREADABLE = 2, 3

_PIECE_MS = 100
_LAST_WORDS_SECONDS = 10.0  # after Ctrl-C: the open turn's end, and the service's goodbye
# Nobody waits for an answer here. So formatting may take its time, and in an outage all audio is
# kept in memory (115 MB an hour at 16 kHz).
_TIMING = Timing(keep_seconds=3600)
_CHOICES = TurnChoices(wait_for_formatted_ms=3000, replies=False)

HELP = """Write down what is said in a sound file, or on standard input.

FILE is a file of any usual format, or - for standard input: WAV, or raw PCM (signed 16 bit,
little-endian), heard as it arrives. Sentences are printed as soon as they are final; progress is
shown if standard error is a terminal. Ctrl-C ends the open sentence, prints it, and stops.

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


def transcribe(file: str, **given: str | None) -> None:
    """Run the command, and end the program."""
    try:
        with warnings.catch_warnings(record=True) as notes:
            options = CommandOptions.model_validate(
                {n: text for n, text in given.items() if text is not None}
            )
    except ValidationError as error:
        for fault in error.errors():
            name = "--" + str(fault["loc"][0]).replace("_", "-")
            wrong = "is missing" if fault["type"] == "missing" else fault["msg"]
            hint = " (or set ASSEMBLYAI_API_KEY)" if name == "--api-key" else ""
            typer.echo(f"{name}: {wrong}{hint}", err=True)
        raise SystemExit(USAGE) from None
    for note in notes:
        typer.echo(f"{note.message}.", err=True)
    logging.getLogger("stt_assemblyai").addHandler(logging.NullHandler())  # `Output` prints it
    try:
        code = asyncio.run(_transcribe(file, options))
    except UnreadableError as error:
        typer.echo(str(error), err=True)
        code = UNREADABLE
    except KeyboardInterrupt:  # before there was any sound
        code = BY_SIGNAL + signal.SIGINT
    raise SystemExit(code)


transcribe.__signature__ = signature()  # type: ignore[attr-defined]  # typer reads it


async def _transcribe(file: str, options: CommandOptions) -> int:
    async with open_input(
        file,
        sample_rate=options.sample_rate if "sample_rate" in options.model_fields_set else None,
        channels=options.channels,
    ) as audio:
        transcription = Transcription(audio, options)
        with transcription.ended_by_signals():
            return await transcription.run(speed=options.speed if file != "-" else FASTEST_SPEED)


class Transcription:
    """One stream from its audio input to what is printed."""

    def __init__(self, audio: AudioInput, options: CommandOptions) -> None:
        self._input = audio
        self._output = Output(options.format, self.stop, audio.seconds)
        self._deadline = asyncio.timeout(None)
        self._code = 0
        self._is_connected = False  # a session is open and may say more

        def open_connection(query: str) -> contextlib.AbstractAsyncContextManager[Socket]:
            return connect(options.base_url, query, options.api_key)

        config = StreamConfig(options.session(audio.sample_rate), _CHOICES, _TIMING)
        self._transcriber = Transcriber(open_connection, config, self._take)

    async def run(self, *, speed: float) -> int:
        """Run until the last words are printed; return the exit code."""
        self._feeding = asyncio.create_task(self._feed(speed))
        try:
            async with self._deadline:
                try:
                    await self._transcriber.run()
                finally:
                    self._output.end(self._transcriber.audio_ms, self._transcriber.usage)
        except AssemblyAIError as error:
            self._output.note(str(error))
            self._code = self._code or FAILED
        except TimeoutError:
            self._output.note("The service did not finish in time: last words may be missing.")
        finally:
            self._feeding.cancel()
            await asyncio.wait([self._feeding])
            self._output.clear()
        if not self._feeding.cancelled():
            self._feeding.result()  # the input may be at fault
        return self._code

    def _take(self, event: StreamEvent) -> None:
        if isinstance(event, Opened | Interrupted):
            self._is_connected = isinstance(event, Opened)
        self._output.write(event)

    def stop(self, code: int) -> None:
        """Take no more audio, but finish what has been heard. Hurry if asked twice, or if there is
        no connection over which more words could come."""
        loop = asyncio.get_running_loop()
        hurried = self._code != 0 or not self._is_connected
        self._code = code
        self._feeding.cancel()
        if not self._deadline.expired():
            self._deadline.reschedule(loop.time() + (0 if hurried else _LAST_WORDS_SECONDS))

    @contextlib.contextmanager
    def ended_by_signals(self) -> Iterator[None]:
        """Stop in good order on Ctrl-C and SIGTERM."""
        loop, signals = asyncio.get_running_loop(), (signal.SIGINT, signal.SIGTERM)
        for number in signals:
            loop.add_signal_handler(number, self.stop, BY_SIGNAL + number)
        try:
            yield
        finally:
            for number in signals:
                loop.remove_signal_handler(number)

    async def _feed(self, speed: float) -> None:
        """Push the audio at `speed` times real time at most; live audio never waits."""
        loop, pacer = asyncio.get_running_loop(), Pacer(speed)
        bytes_per_ms = self._input.sample_rate * 2 / 1000
        step = round(bytes_per_ms * _PIECE_MS) // 2 * 2
        try:
            async for pcm in self._input.pieces:
                for at in range(0, len(pcm), step):
                    piece = pcm[at : at + step]
                    await asyncio.sleep(max(0.0, pacer.ready_at - loop.time()))
                    self._transcriber.push(piece)
                    pacer.sent(loop.time(), len(piece) / bytes_per_ms)
                    self._output.heard(self._transcriber.audio_ms)
        finally:
            self._transcriber.end_input()


def main() -> None:
    """Run the command that the arguments ask for."""
    for stream in (sys.stdout, sys.stderr):  # not every terminal can show every letter
        if stream is None:
            typer.echo("Standard output and standard error have to be open.", err=True)
            raise SystemExit(USAGE)
        stream.reconfigure(errors="replace")  # type: ignore[union-attr]
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)
    app.command(help=HELP)(transcribe)
    app(prog_name="python -m stt_assemblyai")
