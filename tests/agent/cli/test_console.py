"""The console in a terminal: what it needs, and how it ends."""

import fcntl
import os
import pty
import re
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from workbench.local.running import PROJECT

KEYS = {"ASSEMBLYAI_API_KEY": "an-assemblyai-key", "OPENAI_API_KEY": "sk-an-openai-key"}
OURS = ("LIVEKIT", "ASSEMBLYAI", "OPENAI", "AGENT")

# PortAudio, as on a machine without a sound card.
NO_CARD = """
class PortAudioError(Exception): pass
def query_devices(device=None, kind=None):
    raise PortAudioError("Error querying device -1")
"""

NO_PORTAUDIO = 'raise OSError("PortAudio library not found")'


class Terminal:
    """A command in a terminal of its own."""

    def __init__(self, process: subprocess.Popen[bytes], screen: int) -> None:
        self.process = process
        self._screen = screen
        self.shown = ""

    def read_until(self, pattern: str) -> None:
        """Read what is shown until it has this, or the command ends."""
        while not re.search(pattern, self.shown):
            try:
                self.shown += os.read(self._screen, 65536).decode(errors="replace")
            except OSError:  # how a terminal says that everybody has left it
                return

    def press(self, keys: bytes) -> None:
        os.write(self._screen, keys)

    def read_to_the_end(self, seconds: float) -> int:
        """The exit code; fails when the command takes longer."""
        began = time.monotonic()
        self.read_until("(?!)")
        code = self.process.wait(seconds)
        assert time.monotonic() - began < seconds, self.shown
        return code


@contextmanager
def console(tmp_path: Path, *arguments: str, sound: str = NO_CARD) -> Iterator[Terminal]:
    (tmp_path / "sounddevice.py").write_text(sound)
    clean = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
    screen, keyboard = pty.openpty()
    with subprocess.Popen(
        [sys.executable, str(PROJECT / "agent.py"), "console", *arguments],
        cwd=tmp_path,
        env={**clean, **KEYS, "PYTHONPATH": str(tmp_path), "COLUMNS": "200"},
        stdin=keyboard,
        stdout=keyboard,
        stderr=keyboard,
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # so that Ctrl-C is a signal
    ) as process:
        os.close(keyboard)
        try:
            yield Terminal(process, screen)
        finally:
            process.kill()
            os.close(screen)


def test_without_a_sound_card_it_ends_at_once_in_one_sentence(tmp_path: Path) -> None:
    with console(tmp_path) as terminal:
        assert terminal.read_to_the_end(30) == 1
    assert terminal.shown.startswith("The console finds no microphone on this machine: ")
    assert "--text" in terminal.shown
    assert len(terminal.shown.splitlines()) == 1


def test_a_device_that_is_not_there_is_named(tmp_path: Path) -> None:
    with console(tmp_path, "--input-device", "Jabra") as terminal:
        assert terminal.read_to_the_end(30) == 1
    assert "finds no microphone 'Jabra'" in terminal.shown


def test_without_portaudio_it_says_what_to_install(tmp_path: Path) -> None:
    with console(tmp_path, sound=NO_PORTAUDIO) as terminal:
        assert terminal.read_to_the_end(30) == 1
    assert "libportaudio2" in terminal.shown
    assert len(terminal.shown.splitlines()) == 1


def test_without_portaudio_one_can_converse_in_writing(tmp_path: Path) -> None:
    with console(tmp_path, "--text", sound=NO_PORTAUDIO) as terminal:
        terminal.read_until("Type to talk to your agent")
        terminal.press(b"\x03")
        assert terminal.read_to_the_end(20) == 0
    assert "Traceback" not in terminal.shown


@pytest.mark.parametrize("when", ["Starting console mode", "Type to talk to your agent"])
@pytest.mark.parametrize("way", ["Ctrl-C", "SIGTERM"])
def test_ctrl_c_and_sigterm_end_it(tmp_path: Path, when: str, way: str) -> None:
    with console(tmp_path, "--text") as terminal:
        terminal.read_until(when)
        if way == "SIGTERM":
            terminal.process.send_signal(signal.SIGTERM)
        else:
            terminal.press(b"\x03")
        assert terminal.read_to_the_end(20) == 0
    assert "Traceback" not in terminal.shown
    assert "deprecated" not in terminal.shown
