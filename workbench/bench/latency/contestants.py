"""What is measured: our own session at its settings, and the stock plugin's at two."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
from livekit.agents import Agent, AgentSession

from agent.call.agents import CallAgents
from agent.call.call_tools import CallTools, change_patience_tool, end_call_tool
from agent.call.session import build_session, prepare_parts
from agent.call.session_events import subscribe
from agent.call.turns.turn_taking import TurnTaking
from config.load import load_settings
from workbench.bench.latency import stock
from workbench.bench.latency.providers import Providers
from workbench.local.running import PROJECT
from workbench.standins.assemblyai_v3.server import LOCAL_KEY as STT_KEY
from workbench.standins.openai_v1.server import LOCAL_KEY as LLM_KEY

__all__ = ["CONTESTANTS", "STOCK", "SWEPT", "Contestant"]

Start = Callable[[Providers, aiohttp.ClientSession], tuple[AgentSession[Any], Agent]]


@dataclass(frozen=True, slots=True)
class Contestant:
    """A name for the table's head, what makes its session and its agent, and what runs it as a
    worker."""

    name: str
    build: Start
    program: Path
    """Of its worker; `settings` is its environment, beyond addresses and keys."""
    settings: Mapping[str, str]


def _ours(name: str, **settings: Mapping[str, Any]) -> Contestant:
    """What the product runs; all settings are at their defaults but for these, by section."""

    def start(providers: Providers, _: aiohttp.ClientSession) -> tuple[AgentSession[Any], Agent]:
        given: dict[str, dict[str, Any]] = {
            "livekit": {"url": "ws://127.0.0.1", "api_key": "none", "api_secret": "none"},
            "assemblyai": {"base_url": providers.stt.url, "api_key": STT_KEY},
            "openai": {"base_url": providers.llm.url, "api_key": LLM_KEY},
        }
        for section, values in settings.items():
            given[section] = {**given.get(section, {}), **values}
        chosen = load_settings(None, given=given)
        parts = prepare_parts(chosen)
        session = build_session(parts)
        turn_taking = TurnTaking(chosen, parts.assemblyai, session)
        own = (
            change_patience_tool(turn_taking),
            end_call_tool(chosen.agent.goodbye, lambda: None),
        )
        agents = CallAgents(session, turn_taking, CallTools(session, *own), chosen.agent.greeting)
        subscribe(session, parts.assemblyai, turn_taking, agents, agents.tools.limits)
        return session, Agent(instructions=stock.INSTRUCTIONS)

    variables = {
        f"{section}_{field}".upper(): str(value)
        for section, values in settings.items()
        for field, value in values.items()
    }
    return Contestant(name, start, PROJECT / "agent.py", variables)


def _stock(name: str, *, tuned: bool) -> Contestant:
    """As the plugin's guide puts it together, with the thresholds and the voice that ours has."""

    def start(providers: Providers, http: aiohttp.ClientSession) -> tuple[AgentSession[Any], Agent]:
        session = stock.stock_session(
            stt_url=providers.stt.url,
            stt_key=STT_KEY,
            llm_url=providers.llm.url,
            llm_key=LLM_KEY,
            tuned=tuned,
            http=http,
        )
        return session, Agent(instructions=stock.INSTRUCTIONS)

    return Contestant(name, start, Path(stock.__file__), {"TUNED": "yes"} if tuned else {})


STOCK = _stock("stock", tuned=False)
OURS = _ours("ours")
_SOME = _ours("ours, some", agent={"eagerness": "some"})
CONTESTANTS = (
    OURS,
    _SOME,
    _ours("ours, full", agent={"eagerness": "full"}),
    STOCK,
    _stock("stock, tuned", tuned=True),
)
SWEPT = (OURS, _SOME, STOCK)
"""Those whose times are measured at other delays as well."""
