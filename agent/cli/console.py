"""`console`: talk to the agent in a terminal, by voice or in writing."""

import contextlib
import os
import signal
import socket
import sys
import termios
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Annotated

import typer

from agent.cli.faults import give_up, loaded_settings
from agent.livekit_private import Console
from agent.personal_data import rules_of
from agent.redaction import Redaction
from config.secrets import secrets_of
from config.settings import Settings

# For the session's goodbye. LiveKit's console may wait for ever on its own.
GRACE_SECONDS = 2
CTRL_T = "\x14"


def console(
    *,
    text: Annotated[bool, typer.Option(help="Converse in writing instead of speaking.")] = False,
    input_device: Annotated[
        str | None, typer.Option(help="Microphone: part of its name, or its number.")
    ] = None,
    output_device: Annotated[
        str | None, typer.Option(help="Speaker: part of its name, or its number.")
    ] = None,
) -> None:
    """Talk to the agent in this terminal, without a LiveKit server. Ctrl-C ends it.

    With --text the lines may also come from a pipe or a file: the answers are printed, each on a
    line, and the log goes to stderr.
    """
    # The console never contacts a LiveKit server.
    nowhere = {"url": "ws://127.0.0.1", "api_key": "none", "api_secret": "none"}
    settings = loaded_settings({"livekit": nowhere})
    is_terminal = sys.stdin.isatty() and sys.stdout.isatty()
    if not (text or is_terminal):
        give_up("To speak, the console needs a terminal. In a pipe or a script use --text.")
    if not text:
        _require_sound(input_device, output_device)
    with _ended_by_signals():
        from agent.worker.server import build_server

        shown = _livekits_console(settings)
        if text:
            shown.use_no_devices()
        if not is_terminal:
            end = partial(signal.raise_signal, signal.SIGINT)  # as Ctrl-C does
            shown.read_lines(_lines(), partial(print, flush=True), end)
        shown.run(
            server=build_server(settings),
            input_device=input_device,
            output_device=output_device,
            mode="text" if text else "audio",
            record=False,
            log_level=settings.agent.log_level.upper(),
        )


def _lines() -> Iterator[str]:
    """What is typed, line by line, without empty lines."""
    for line in sys.stdin:
        if said := line.strip():
            yield said


def _require_sound(microphone: str | None, speaker: str | None) -> None:
    """Return if the sound devices are there; else end the program with one sentence."""
    if not _has_portaudio():
        give_up(
            "To speak, the console needs PortAudio, which is not on this machine: install it with "
            "`apt-get install libportaudio2` (Debian, Ubuntu) or `brew install portaudio` (macOS), "
            "or converse in writing with --text."
        )
    import sounddevice

    for kind, name in (("input", microphone), ("output", speaker)):
        try:
            sounddevice.query_devices(_number_or_name(name), kind=kind)
        except (ValueError, sounddevice.PortAudioError):
            device = "microphone" if kind == "input" else "speaker"
            wanted = f"no {device} {name!r}" if name else f"no {device}"
            give_up(
                f"The console finds {wanted} on this machine: connect one, name another with "
                f"--{kind}-device, or converse in writing with --text."
            )


def _has_portaudio() -> bool:
    try:
        import sounddevice  # noqa: F401 - it loads the library
    except (OSError, ImportError):
        return False
    return True


def _number_or_name(name: str | None) -> int | str | None:
    return int(name) if name and name.isdigit() else name


def _livekits_console(settings: Settings) -> Console:
    """LiveKit's console, adapted in four ways.

    It hides its deprecation notice, which no user can act on. Ctrl-C ends it while it reads keys,
    in a thread and in a loop that would go on. Without PortAudio, Ctrl-T does not change from
    writing to speaking. Its log holds no secret.
    """

    def read_key(read: Callable[[], str]) -> str:
        try:
            key = read()
            return "" if key == CTRL_T and not _has_portaudio() else key
        except KeyboardInterrupt:
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(GRACE_SECONDS)
            return ""

    shown = Console()
    transcripts, rules = settings.agent.log_transcripts, rules_of(settings.agent)
    shown.keep_out(Redaction(secrets_of(settings), transcripts=transcripts, rules=rules))
    shown.hide("Deprecated")
    shown.read_keys(read_key)
    return shown


@contextlib.contextmanager
def _ended_by_signals() -> Iterator[None]:
    """End soon after Ctrl-C or SIGTERM, and at once after a second one, without a traceback."""
    before = termios.tcgetattr(sys.stdin) if sys.stdin.isatty() else None
    woken, waker = socket.socketpair()
    waker.setblocking(False)
    signal.set_wakeup_fd(waker.fileno(), warn_on_full_buffer=False)
    stopping = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):  # until LiveKit's console has its own
        signal.signal(number, lambda *_: sys.exit(0))

    def end() -> None:
        while woken.recv(1)[0] not in (signal.SIGINT, signal.SIGTERM):
            pass
        stopping.set()
        threading.excepthook = lambda _: None  # for LiveKit's threads, which are being stopped
        woken.settimeout(GRACE_SECONDS)
        with contextlib.suppress(TimeoutError):
            woken.recv(1)
        if before:
            termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)
        os._exit(0)

    threading.Thread(target=end, name="signals", daemon=True).start()
    try:
        yield
    except BaseException:  # LiveKit raises SystemExit and more while a signal ends it
        if not stopping.is_set():
            raise
