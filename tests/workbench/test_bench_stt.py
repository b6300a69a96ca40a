"""The benchmark of speech streams: what is measured is really heard, and everybody is counted."""

import asyncio

import aiohttp
import pytest

from workbench.bench.stt.__main__ import figures
from workbench.bench.stt.contestant import FEEDER, NAMES, NEEDED_RATE, SOCKET, Load, hear, maker
from workbench.bench.stt.side_by_side import Found, Rounds, measure, scripted_stand_in


async def test_everybody_is_counted_in_every_round() -> None:
    found = await measure(2, 48_000, Rounds(2, 0.5))
    assert set(found.costs_ms) == set(NAMES) - {FEEDER}
    assert all(len(costs) == 2 for costs in found.costs_ms.values())
    assert all(max(found.costs_ms[name]) > 0 for name in ("ours", "stock", SOCKET))
    by_name = {each.name: each for each in figures({48_000: found, NEEDED_RATE: found})}
    of_all = by_name["CPU for a second of audio at 48 kHz"]
    assert of_all.floor is not None
    assert of_all.floor > min(found.costs_ms[SOCKET])  # the resampler counts as well


async def test_the_bare_socket_sends_and_hears_what_the_clients_do() -> None:
    load, sent = Load(streams=2, input_rate=NEEDED_RATE, longest_seconds=2), {}
    async with scripted_stand_in(load, sessions=6) as stand_ins, aiohttp.ClientSession() as http:
        for name in ("ours", "stock", SOCKET):
            _, heard = await hear(maker(name, load, stand_ins, http), load, asyncio.Event())
            assert heard
            async with http.get(f"{stand_ins.control_url}/assemblyai/sessions") as answer:
                sent[name] = [each["audio_ms"] for each in await answer.json()][-2:]
    assert all(1500 <= audio_ms <= 2000 for of_one in sent.values() for audio_ms in of_one)


async def test_figures_of_streams_that_heard_nothing_are_refused() -> None:
    load = Load(1, NEEDED_RATE, longest_seconds=0.5)
    async with scripted_stand_in(load, sessions=0) as stand_ins, aiohttp.ClientSession() as http:
        with pytest.raises(RuntimeError, match="heard nothing"):
            await hear(maker("ours", load, stand_ins, http), load, asyncio.Event())


def test_a_floor_without_a_resampler_is_the_socket() -> None:
    costs = {"ours": [2.0, 3.0, 4.0], "stock": [4.0, 4.0, 4.0], SOCKET: [1.0, 2.0, 3.0]}
    held = {"ours": 40.0, "stock": 30.0, SOCKET: 10.0}
    cpu, kept = figures({NEEDED_RATE: Found(costs, held)})
    assert (cpu.ours, cpu.stock, cpu.floor) == (3.0, 4.0, 2.0)
    assert (kept.ours, kept.stock) == (40.0, 30.0)
