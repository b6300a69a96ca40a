"""The load of the benchmark: all that is measured is really heard."""

from functools import partial

import aiohttp
import pytest

from workbench.bench.compare.clients import CLIENTS, OURS, Client
from workbench.bench.compare.floor import BareResampler
from workbench.bench.compare.load import Bench, Load, scripted_stand_in

LOAD = Load(streams=2, seconds=5, input_rate=48_000)


@pytest.mark.parametrize("client", CLIENTS, ids=lambda client: client.name)
async def test_streams_hear_their_scripts_and_their_cost_is_counted(client: Client) -> None:
    async with scripted_stand_in() as stand_ins, aiohttp.ClientSession() as http:
        bench = Bench(stand_ins, http)
        cost = await bench.hear(partial(bench.stream, client), LOAD)
        assert cost.second_ms > 0
        async with http.get(f"{stand_ins.control_url}/assemblyai/sessions") as answer:
            sessions = await answer.json()
    assert len(sessions) == LOAD.streams
    assert all(session["audio_ms"] >= 4900 for session in sessions)


async def test_figures_of_streams_that_heard_nothing_are_refused() -> None:
    async with scripted_stand_in() as stand_ins, aiohttp.ClientSession() as http:
        bench = Bench(stand_ins, http)
        with pytest.raises(RuntimeError, match="heard nothing"):
            await bench.hear(partial(bench.stream, OURS), Load(1, 1, 16_000))


async def test_the_bare_socket_sends_and_hears_what_the_clients_do() -> None:
    async with scripted_stand_in() as stand_ins, aiohttp.ClientSession() as http:
        bench = Bench(stand_ins, http)
        await bench.hear(bench.bare_socket, LOAD)
        async with http.get(f"{stand_ins.control_url}/assemblyai/sessions") as answer:
            sessions = await answer.json()
    assert len(sessions) == LOAD.streams
    assert all(session["audio_ms"] >= 4900 for session in sessions)


async def test_the_bare_resampler_opens_no_session() -> None:
    async with scripted_stand_in() as stand_ins, aiohttp.ClientSession() as http:
        await Bench(stand_ins, http).hear(partial(BareResampler, 48_000), LOAD)
        async with http.get(f"{stand_ins.control_url}/assemblyai/sessions") as answer:
            assert await answer.json() == []
