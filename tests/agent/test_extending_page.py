"""What docs/extending.md shows works as it stands there."""

import re
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from livekit.agents import llm, tts
from livekit.agents.llm.mcp import MCPToolset

from agent import assistant
from agent.call.output.canned_prompts import CannedPrompt
from agent.call.providers import Clients
from agent.call.session import build_parts
from agent.testing import calls, conversation
from config.load import load_settings
from config.secrets import secrets_of
from config.settings import Settings
from workbench.standins.scripted import ScriptedLLM, ScriptedSTT, ScriptedTTS, ScriptedVAD

PAGE = (Path(__file__).parents[2] / "docs" / "extending.md").read_text("utf-8")
KEYS = {
    "LIVEKIT_URL": "ws://127.0.0.1:7880",
    "LIVEKIT_API_KEY": "APIkey",
    "LIVEKIT_API_SECRET": "a-livekit-secret-that-is-long",
    "ASSEMBLYAI_API_KEY": "an-assemblyai-key",
    "OPENAI_API_KEY": "sk-an-openai-key",
}


def example(holding: str, kind: str = "python") -> str:
    blocks = re.findall(rf"```{kind}\n(.*?)```", PAGE, re.DOTALL)
    [block] = [block for block in blocks if holding in block]
    return str(block)


def run(holding: str) -> dict[str, Any]:
    namespace: dict[str, Any] = {"__name__": "example"}
    exec(compile(example(holding), "docs/extending.md", "exec"), namespace)
    return namespace


def settings(lines: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Those of a `.env` with these lines."""
    for name in KEYS:
        monkeypatch.delenv(name, raising=False)
    written = folder / ".env"
    keys = "".join(f"{name}={value}\n" for name, value in KEYS.items())
    written.write_text(keys + lines, "utf-8")
    return load_settings(written)


async def test_the_tool_and_its_test(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(assistant, "Assistant", run("def opening_hours")["Assistant"])
    await run("def test_the_agent_looks_up")["test_the_agent_looks_up_the_hours"]()


async def test_the_hand_off() -> None:
    page = run("class Bookings")
    answers = [calls("book"), "For how many?"]
    async with conversation(page["Assistant"]("Be kind.", {}), *answers) as talk:
        result = await talk.ask("A table, please.")
        result.expect.contains_agent_handoff(new_agent_type=page["Bookings"])
        await talk.session.wait_for_idle()
        assert talk.model.asked[-1][0] == "You take bookings."
        assert "A table, please." in talk.model.asked[-1]


async def test_the_task() -> None:
    agent = run("GetEmailTask")["Assistant"]("Be kind.", {})
    address = "ann@example.com"
    answers = ["Which address?", calls("update_email_address", email=address), "Done."]
    async with conversation(agent, calls("send_menu"), *answers) as talk:
        await talk.ask("Send me the menu.")
        result = await talk.ask(address)
        result.expect.contains_function_call_output(output=f"It goes to {address}.")
        assert talk.agent is agent


class Plugin(ModuleType):
    """Stands in for a plugin of LiveKit."""

    def __init__(self, **classes: Any) -> None:
        super().__init__("plugin")
        vars(self).update(classes)


class PluginLLM(ScriptedLLM):
    def __init__(self, *, model: str) -> None:
        super().__init__("Hello.")
        self.named = model

    @property
    def provider(self) -> str:
        return "plugin"


class PluginTTS(ScriptedTTS):
    def __init__(self, *, voice: str) -> None:
        super().__init__()
        self.named = voice


async def test_another_language_model_and_voice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    anthropic, cartesia = Plugin(LLM=PluginLLM), Plugin(TTS=PluginTTS)
    for name, plugin in {"anthropic": anthropic, "cartesia": cartesia}.items():
        monkeypatch.setitem(sys.modules, f"livekit.plugins.{name}", plugin)
        monkeypatch.setattr(f"livekit.plugins.{name}", plugin, raising=False)
    chosen = settings("", tmp_path, monkeypatch)
    clients = Clients.of(chosen.openai)
    monkeypatch.setattr("agent.call.session.own_llm", run("anthropic.LLM(")["own_llm"])
    monkeypatch.setattr("agent.call.session.own_tts", run("cartesia.TTS(")["own_tts"])
    parts = build_parts(chosen, clients, ScriptedVAD())
    asked = llm.ChatContext.empty()
    asked.add_message(role="user", content="Hi.")
    async with parts.llm.chat(chat_ctx=asked) as answer:
        said = [chunk.delta.content async for chunk in answer if chunk.delta]
    assert said == ["Hello."]
    async with parts.tts.synthesize("Hello.") as speech:
        assert isinstance(speech, tts.ChunkedStream)
        frames = [audio.frame async for audio in speech]
    assert frames[0].sample_rate == 16_000
    monkeypatch.setattr("agent.call.session.own_stt", ScriptedSTT)
    assert isinstance(build_parts(chosen, clients, ScriptedVAD()).stt, ScriptedSTT)
    assert assistant.own_llm() is assistant.own_tts() is assistant.own_stt() is None


def test_another_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = settings(example("OPENAI_LLM_BASE_URL", "sh"), tmp_path, monkeypatch)
    clients = Clients.of(chosen.openai)
    assert str(clients.llm.base_url) == "http://127.0.0.1:11434/v1/"
    assert chosen.openai.llm_model == "qwen3:8b"
    assert str(clients.tts.base_url) == "https://api.openai.com/v1/"


def test_another_language(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = settings(example("AGENT_LANGUAGE", "sh"), tmp_path, monkeypatch)
    assert chosen.prompt.startswith("Du bist Alex")
    assert chosen.agent.greeting.startswith("Guten Tag")
    assert chosen.session_options.speech_model == "universal-streaming-multilingual"
    assert CannedPrompt.APOLOGY.recorded(chosen.agent.language).text.startswith("Es tut mir leid")
    assert chosen.files.phrasebook.of("de") != chosen.files.phrasebook.of("en")


def test_an_mcp_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`agent.call.test_mcp_tools` talks to a real one, by setting and with a toolset."""
    chosen = settings(example("AGENT_MCP_URL", "sh"), tmp_path, monkeypatch)
    assert secrets_of(chosen) >= {"a-token-for-the-mcp-server", "/mcp"}
    [toolset] = run("MCPToolset(")["Assistant"]("Be kind.", {}).tools
    assert isinstance(toolset, MCPToolset)
