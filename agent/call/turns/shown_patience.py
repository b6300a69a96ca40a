"""Shows pages how patient the agent is: attributes of its participant."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

from agent.room_names import Attribute
from agent.tasks import OwnedTask
from stt_assemblyai.models import Preset

_SHOW_SECONDS = 5.0

Show = Callable[[dict[str, str]], Awaitable[None]]


class ShownPatience:
    """Shows the preset in force, and whether something is dictated, until it is closed.

    Changes that come while one is being shown are shown together. What cannot be shown is left out.
    """

    def __init__(self, show: Show) -> None:
        """`show` sets attributes; it may fail, and may take any time."""
        self._show = show
        self._attributes: dict[str, str] = {}
        self._changed = asyncio.Event()
        self._task = OwnedTask(self._run(), name="shown patience")

    def change(self, preset: Preset, is_dictated: bool) -> None:
        """Show this from now on."""
        self._attributes = {
            Attribute.PRESET: preset,
            Attribute.DICTATION: "true" if is_dictated else "",
        }
        self._changed.set()

    async def aclose(self) -> None:
        """Show nothing more."""
        await self._task.aclose()

    async def _run(self) -> None:
        while True:
            await self._changed.wait()
            self._changed.clear()
            with contextlib.suppress(Exception):  # LiveKit's library raises these in a closing room
                async with asyncio.timeout(_SHOW_SECONDS):
                    await self._show(self._attributes)
