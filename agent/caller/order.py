"""What somebody wants of a call, and its carrying out: what is said, kept, shown and judged."""

import asyncio
import random
import threading
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from agent.caller import report
from agent.caller.caller import Caller
from agent.caller.calling import Plan, hold
from agent.caller.outcome import Exit, Expected, judge
from agent.caller.phone import over_the_phone
from agent.caller.recording import question, read, write
from agent.caller.timeline import Samples
from agent.caller.utterance import Utterance

Show = Callable[[str], None]

_SEED = 0
"""Each run over the telephone loses the same packets, so that runs can be compared."""


@dataclass(frozen=True, slots=True)
class Order:
    """One run of `call`. Without files a question is asked; with a typed plan nothing is spoken."""

    plan: Plan
    files: tuple[Path, ...] = ()
    phone: bool = False
    expected: Expected = Expected()  # noqa: RUF009  it is frozen
    out: Path | None = None
    """WAV file for what the agent said."""
    json: bool = False


async def carry_out(order: Order, show: Show, read_line: Callable[[], str]) -> Exit:
    """Hold the call, show it line by line or at the end as JSON, and judge it.

    `read_line` gives each line of what is typed, and an empty text at the end; it may block.
    Raises RecordingError, before or after the call, and NotConnectedError.
    """
    talk: Show = (lambda _: None) if order.json else show
    if order.out:
        write(order.out, np.zeros(0, np.int16))  # else a call is held whose sound cannot be kept
    said = None if order.plan.typed else spoken(order.files, phone=order.phone)
    heard: list[Samples] = []

    def keep(caller: Caller) -> None:
        heard.append(caller.heard())

    async with aclosing(typed(read_line, talk) if said is None else in_turn(said)) as sayings:
        call = await hold(order.plan, sayings, talk, keep)
    code = judge(call, order.expected)
    planned = len(call.turns) if said is None else len(said)
    if order.json:
        show(report.document(call, code))
    for line in report.summary(call, planned, order.expected, code):
        talk(line)
    if order.out:
        write(order.out, heard[0])
    return code


def spoken(files: tuple[Path, ...], *, phone: bool) -> list[Utterance]:
    """What the caller says, from the files or else the question. Raises RecordingError."""
    said = [read(path) for path in files] or [question()]
    if not phone:
        return said
    chance = random.Random(_SEED)
    return [replace(each, samples=over_the_phone(each.samples, chance)) for each in said]


async def in_turn(said: list[Utterance]) -> AsyncGenerator[Utterance, None]:
    """One after the other."""
    for each in said:
        yield each


async def typed(read_line: Callable[[], str], show: Show) -> AsyncGenerator[Utterance, None]:
    """Each line that is not empty, until the end of the input."""
    while line := await _in_thread(read_line):
        if text := line.strip():
            show(report.line("you", text))
            yield Utterance(text, np.zeros(0, np.int16), "typed")


async def _in_thread(read_line: Callable[[], str]) -> str:
    """One line. Its thread keeps no program from its end: a terminal may never give a line."""
    loop = asyncio.get_running_loop()
    result: asyncio.Future[str] = loop.create_future()

    def settle(line: str) -> None:
        if not result.done():
            result.set_result(line)

    def run() -> None:
        try:
            line = read_line()
        except (OSError, ValueError):  # the input was closed, or is no text
            line = ""
        if not loop.is_closed():
            loop.call_soon_threadsafe(settle, line)

    threading.Thread(target=run, name="lines", daemon=True).start()
    return await result
