"""Who is measured: our own session at two settings, and the stock plugin's at two."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import aiohttp
from livekit.agents import AgentSession, TurnHandlingOptions
from livekit.plugins import assemblyai, openai, silero

from agent.call.session import build_session, equip
from config.load import load_settings
from workbench.latency.providers import Providers
from workbench.loopback.assemblyai_v3.server import LOCAL_KEY as EARS_KEY
from workbench.loopback.openai_v1.server import LOCAL_KEY as MIND_KEY

__all__ = ["CONTESTANTS", "STOCK", "Contestant"]

Start = Callable[[Providers, aiohttp.ClientSession], AgentSession[Any]]


@dataclass(frozen=True, slots=True)
class Contestant:
    """A name for the table's head, and what makes its session."""

    name: str
    session: Start


def _ours(settings: Mapping[str, Mapping[str, Any]]) -> Start:
    """The session that the product builds, its settings at their defaults but for these."""

    def start(providers: Providers, http: aiohttp.ClientSession) -> AgentSession[Any]:
        given: dict[str, dict[str, Any]] = {
            "livekit": {"url": "ws://127.0.0.1", "api_key": "none", "api_secret": "none"},
            "assemblyai": {"base_url": providers.ears.url, "api_key": EARS_KEY},
            "openai": {"base_url": providers.mind.url, "api_key": MIND_KEY},
        }
        for section, values in settings.items():
            given[section] = {**given.get(section, {}), **values}
        return build_session(equip(load_settings(None, given=given)))

    return start


def _stock(turn_handling: TurnHandlingOptions) -> Start:
    """As the plugin's guide puts it together, with the thresholds and the voice that ours has."""

    def start(providers: Providers, http: aiohttp.ClientSession) -> AgentSession[Any]:
        key, url = MIND_KEY, providers.mind.url
        return AgentSession(
            stt=assemblyai.STT(
                api_key=EARS_KEY,
                base_url=providers.ears.url,
                model="universal-streaming-english",
                format_turns=True,
                end_of_turn_confidence_threshold=0.7,
                min_turn_silence=160,
                max_turn_silence=2400,
                http_session=http,
            ),
            vad=silero.VAD.load(),
            llm=openai.LLM(model="gpt-4.1-mini", api_key=key, base_url=url),
            tts=openai.TTS(
                model="gpt-4o-mini-tts", api_key=key, base_url=url, response_format="pcm"
            ),
            turn_handling=turn_handling,
        )

    return start


# LiveKit's cloud detector of interruptions, which an unset mode prefers, cannot be had here.
_LOCAL: TurnHandlingOptions = {"turn_detection": "stt", "interruption": {"mode": "vad"}}

STOCK = Contestant("stock", _stock(_LOCAL))
CONTESTANTS = (
    Contestant("ours", _ours(MappingProxyType({}))),
    STOCK,
    Contestant(
        "stock, tuned",
        _stock(
            {
                **_LOCAL,
                "endpointing": {"min_delay": 0.0},
                "preemptive_generation": {"enabled": True, "preemptive_tts": True},
            }
        ),
    ),
)
