"""The load of the benchmark: all that is measured is really heard."""

import aiohttp
import pytest

from workbench.compare.clients import CLIENTS, OURS, Client
from workbench.compare.load import Bench, Load, scripted_stand_in

LOAD = Load(streams=2, seconds=4, input_rate=48_000)


@pytest.mark.parametrize("client", CLIENTS, ids=lambda client: client.name)
async def test_streams_hear_their_scripts_and_their_cost_is_counted(client: Client) -> None:
    async with scripted_stand_in() as stand_ins, aiohttp.ClientSession() as http:
        cost = await Bench(stand_ins, http).hear(client, LOAD)
        assert cost.second_ms > 0
        async with http.get(f"{stand_ins.control_url}/assemblyai/sessions") as answer:
            sessions = await answer.json()
    assert len(sessions) == LOAD.streams
    assert all(session["audio_ms"] >= 3900 for session in sessions)


async def test_figures_of_streams_that_heard_nothing_are_refused() -> None:
    async with scripted_stand_in() as stand_ins, aiohttp.ClientSession() as http:
        with pytest.raises(RuntimeError, match="heard nothing"):
            await Bench(stand_ins, http).hear(OURS, Load(1, 1, 16_000))
