"""What is real, what is stood in for, and what the worker is told."""

from dataclasses import replace
from pathlib import Path

import pytest

from workbench.local.livekit_server import Access
from workbench.local.providers import (
    Plan,
    PlanError,
    plan,
    server_without_voice,
    settings_in_force,
    worker_environment,
)
from workbench.local.standins_process import StandIns
from workbench.standins.openai_v1.server import LOCAL_KEY, OpenAIStandIn

ACCESS = Access("ws://127.0.0.1:7880", "key", "secret")
STAND_INS = StandIns(
    assemblyai_base_url="ws://127.0.0.1:1",
    openai_base_url="http://127.0.0.1:2/v1",
    control_url="http://127.0.0.1:3",
    assemblyai_api_key="a",
    openai_api_key="o",
)
LIVEKIT = {"LIVEKIT_URL": "wss://x", "LIVEKIT_API_KEY": "k", "LIVEKIT_API_SECRET": "s"}


def test_without_keys_everything_is_stood_in_for() -> None:
    chosen = plan({})
    assert chosen == Plan(livekit=None, has_assemblyai_key=False, has_openai_key=False)
    assert chosen.missing_keys == "ASSEMBLYAI_API_KEY and OPENAI_API_KEY"


def test_with_all_keys_nothing_is_stood_in_for() -> None:
    chosen = plan({**LIVEKIT, "ASSEMBLYAI_API_KEY": "a", "OPENAI_API_KEY": "o"})
    assert chosen.livekit == Access("wss://x", "k", "s")
    assert not chosen.needs_stand_ins


def test_half_a_livekit_server_is_refused_by_name() -> None:
    with pytest.raises(
        PlanError, match="LIVEKIT_URL set, but LIVEKIT_API_KEY and LIVEKIT_API_SECRET"
    ):
        plan({"LIVEKIT_URL": "wss://x"})


def test_the_environment_overrides_the_file_and_empty_values_do_not(tmp_path: Path) -> None:
    dotenv = tmp_path / ".env"
    dotenv.write_text("OPENAI_API_KEY=file\nAGENT_NAME=file\nASSEMBLYAI_API_KEY=\nlivekit_url=u\n")
    values = settings_in_force({"OPENAI_API_KEY": "outer", "AGENT_NAME": ""}, dotenv)
    assert values == {"OPENAI_API_KEY": "outer", "AGENT_NAME": "file", "LIVEKIT_URL": "u"}


def test_a_worker_without_keys_is_told_where_the_stand_ins_are() -> None:
    told = worker_environment({"PATH": "/bin"}, ACCESS, plan({}), STAND_INS)
    assert told == {
        "PATH": "/bin",
        "LIVEKIT_URL": "ws://127.0.0.1:7880",
        "LIVEKIT_API_KEY": "key",
        "LIVEKIT_API_SECRET": "secret",
        "ASSEMBLYAI_BASE_URL": "ws://127.0.0.1:1",
        "ASSEMBLYAI_API_KEY": "a",
        "OPENAI_BASE_URL": "http://127.0.0.1:2/v1",
        "OPENAI_API_KEY": "o",
    }


def test_a_provider_with_a_key_keeps_its_own_address() -> None:
    chosen = plan({"OPENAI_API_KEY": "real"})
    told = worker_environment({}, ACCESS, chosen, STAND_INS)
    assert "OPENAI_BASE_URL" not in told
    assert "OPENAI_API_KEY" not in told
    assert told["ASSEMBLYAI_API_KEY"] == "a"


def test_keys_are_not_shown() -> None:
    assert "assemblyai_api_key" not in repr(STAND_INS)


async def test_a_server_that_has_only_chat_is_found_out() -> None:
    async with OpenAIStandIn() as server:
        whole = {"OPENAI_API_KEY": LOCAL_KEY, "OPENAI_BASE_URL": server.url}
        only_chat = {**whole, "OPENAI_TTS_BASE_URL": server.url.replace("/v1", "/chat/v1")}
        assert await server_without_voice(whole) == ""
        assert await server_without_voice(only_chat) == only_chat["OPENAI_TTS_BASE_URL"]
    assert await server_without_voice(whole) == ""
    assert await server_without_voice({"OPENAI_API_KEY": "real"}) == ""


def test_where_there_is_no_voice_one_is_stood_in_for() -> None:
    chosen = replace(
        plan({**LIVEKIT, "ASSEMBLYAI_API_KEY": "a", "OPENAI_API_KEY": "o"}), voiceless="http://x"
    )
    told = worker_environment({"OPENAI_BASE_URL": "http://x"}, ACCESS, chosen, STAND_INS)
    assert chosen.needs_stand_ins
    assert told["OPENAI_BASE_URL"] == "http://x"
    assert told["OPENAI_TTS_BASE_URL"] == STAND_INS.openai_base_url
