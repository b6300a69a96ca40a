"""Real browsers for tests of the page: Debian's Chromium and Firefox, headless, nothing patched."""

import hashlib
import itertools
import json
import shutil
import tempfile
import wave
import zlib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import websockets
from playwright.async_api import Browser, async_playwright

from agent.caller.microphone import SAMPLE_RATE
from agent.caller.timeline import Samples
from agent.caller.waiting import WaitedTooLongError
from agent.playground.server import STATIC
from agent.viewer.page import FOLDER as VIEWER_FOLDER
from workbench.local.calling.corpus import resampled
from workbench.local.processes import Command, Process

# Keeps a page's connections, so that `HEARD` can measure what arrives on them.
KEEP_CONNECTIONS = """
window.connections = [];
window.RTCPeerConnection = class extends RTCPeerConnection {
  constructor(...told) { super(...told); window.connections.push(this); }
};
"""
HEARD = """(async () => {
  let energy = 0;
  for (const each of window.connections)
    for (const report of (await each.getStats()).values())
      if (report.type === "inbound-rtp") energy += report.totalAudioEnergy ?? 0;
  return energy;
})()"""
"""The energy of all the sound that has arrived, as an expression for the page."""

_BROWSER_RATE = 48_000
_START_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Program:
    """A browser: the names by which it may be installed, and Debian's package."""

    names: Sequence[str]
    package: str

    def program(self) -> str | None:
        """Its path on this machine."""
        return next(filter(None, map(shutil.which, self.names)), None)

    def found(self) -> str:
        """Its path. Raises BrowserMissingError."""
        if path := self.program():
            return path
        raise BrowserMissingError(
            f"{self.package} is not on this machine: `make test` installs it on Debian, as root."
        )


class BrowserMissingError(RuntimeError):
    """A browser is not on this machine."""


CHROMIUM = Program(("chromium", "chromium-browser", "google-chrome"), "chromium")
FIREFOX = Program(("firefox-esr", "firefox"), "firefox-esr")
BROWSERS = (CHROMIUM, FIREFOX)


def write_microphone(path: Path, samples: Samples, *, lead_seconds: float) -> Path:
    """Write what a browser's microphone is to hear: silence, then these samples once.

    The silence counts from the moment at which the page opens its microphone.
    """
    heard = resampled(samples, SAMPLE_RATE, _BROWSER_RATE)
    silence = np.zeros(int(lead_seconds * _BROWSER_RATE), np.int16)
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(_BROWSER_RATE)
        out.writeframes(np.concatenate([silence, heard, silence]).astype("<i2").tobytes())
    return path


PLAYGROUND = (STATIC / "index.html", STATIC / "playground.css")
VIEWER = tuple(VIEWER_FOLDER / f"page.{kind}" for kind in ("html", "css"))


def look(parts: Sequence[Path] = PLAYGROUND) -> str:
    """A sum of what a page looks like: its elements and its style."""
    return hashlib.sha256(b"".join(part.read_bytes() for part in parts)).hexdigest()


def marked(picture: bytes, parts: Sequence[Path] = PLAYGROUND) -> bytes:
    """A PNG with that sum in it, as a text."""
    chunk = b"tEXt" + b"Look\0" + look(parts).encode()
    size, check = (len(chunk) - 4).to_bytes(4, "big"), zlib.crc32(chunk).to_bytes(4, "big")
    after_header = 33  # signature and IHDR
    return picture[:after_header] + size + chunk + check + picture[after_header:]


@asynccontextmanager
async def chromium(microphone: Path | None = None, *, asks: bool = False) -> AsyncIterator[Browser]:
    """Chromium with a file as its microphone, or without any microphone.

    With `asks` it asks for permission, and nobody is there to give it.
    """
    flags = ["--autoplay-policy=no-user-gesture-required", "--disable-dev-shm-usage"]
    if microphone or asks:
        flags.append("--use-fake-device-for-media-stream")
    if microphone:
        flags.append(f"--use-file-for-fake-audio-capture={microphone}%noloop")
    if not asks:
        flags.append("--use-fake-ui-for-media-stream")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=CHROMIUM.found(), args=[*flags, "--no-sandbox"]
        )
        try:
            yield browser
        finally:
            await browser.close()


class Firefox:
    """One page in Firefox, through WebDriver BiDi; its microphone hums. Made by `firefox`."""

    def __init__(self, socket: websockets.ClientConnection) -> None:
        self._socket = socket
        self._ids = itertools.count(1)
        self._page = ""

    async def open(self, url: str) -> None:
        """Load a page, and return when it has been loaded."""
        await self._call("session.new", {"capabilities": {}})
        kept = {"functionDeclaration": f"() => {{{KEEP_CONNECTIONS}}}"}
        await self._call("script.addPreloadScript", kept)
        tree = await self._call("browsingContext.getTree", {})
        self._page = tree["contexts"][0]["context"]
        told = {"context": self._page, "url": url, "wait": "complete"}
        await self._call("browsingContext.navigate", told)

    async def evaluate(self, expression: str) -> Any:
        """The value of an expression in the page, as if a person had caused it."""
        told = {
            "expression": f"(async () => JSON.stringify(await ({expression})))()",
            "target": {"context": self._page},
            "awaitPromise": True,
            "userActivation": True,
        }
        answer = await self._call("script.evaluate", told)
        if answer["type"] == "exception":
            raise RuntimeError(answer["exceptionDetails"]["text"])
        return json.loads(answer["result"].get("value", "null"))

    async def until(self, expression: str, *, timeout_seconds: float) -> None:
        """Return once the expression is true. Raises WaitedTooLongError."""
        is_true = await self.evaluate(
            f"""new Promise((tell) => {{
                const end = Date.now() + {1000 * timeout_seconds};
                const look = async () => {{
                    if (await ({expression})) tell(true);
                    else if (Date.now() > end) tell(false);
                    else setTimeout(look, 100);
                }};
                look();
            }})"""
        )
        if not is_true:
            shown = await self.evaluate("document.body.innerText")
            raise WaitedTooLongError(f"waited in vain for {expression}; the page shows: {shown}")

    async def _call(self, method: str, parameters: dict[str, Any]) -> Any:
        number = next(self._ids)
        await self._socket.send(json.dumps({"id": number, "method": method, "params": parameters}))
        async for message in self._socket:
            answer = json.loads(message)
            if answer.get("id") == number:
                if answer["type"] == "error":
                    raise RuntimeError(f"{method}: {answer['message']}")
                return answer["result"]
        raise RuntimeError("Firefox has ended")


@asynccontextmanager
async def firefox(log: Path) -> AsyncIterator[Firefox]:
    """Firefox as it comes, but for a microphone that hums, and permission to use it."""
    with tempfile.TemporaryDirectory() as profile:
        _write_preferences(Path(profile))
        argv = [FIREFOX.found(), "--headless", "--profile", profile, "--remote-debugging-port", "0"]
        async with Process(Command("Firefox", argv, log)) as process:
            line = await process.wait_for_line(
                lambda line: "BiDi listening on" in line, timeout_seconds=_START_SECONDS
            )
            async with websockets.connect(f"{line.split()[-1]}/session", max_size=None) as socket:
                yield Firefox(socket)


def _write_preferences(profile: Path) -> None:
    preferences = {
        "media.navigator.streams.fake": True,
        "media.navigator.permission.disabled": True,
        "media.autoplay.default": 0,
    }
    lines = (f'user_pref("{name}", {json.dumps(on)});' for name, on in preferences.items())
    (profile / "user.js").write_text("\n".join(lines))
