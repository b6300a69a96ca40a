"""Runs every probe at once, each with a deadline, and puts the checks into their order."""

import asyncio
import contextlib
import threading
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from functools import partial
from pathlib import Path
from typing import Any, TextIO, TypeVar

import yaml

from agent.doctor import assemblyai, kubernetes, livekit, machine, openai, redis, settings
from agent.doctor.check import Check, Name, fault, skipped, warning
from agent.doctor.found import Found, find
from agent.doctor.machine_probes import (
    LOCK,
    certificates_problem,
    devices,
    installed_packages,
    look_at_port,
    packages_in,
    vad_problem,
)
from agent.doctor.manifests import workers
from agent.doctor.probes import agents_in, ask_assemblyai, ask_livekit, ask_openai, join
from agent.doctor.redis_probe import ask_redis
from agent.doctor.report import without
from agent.redaction import Redaction
from config.reference import variables

T = TypeVar("T")
LONGEST_SECONDS = 8.0
"""After this, what has not answered is given up."""

_ORDER = list(Name)


async def examine(
    dotenv: Path | None, *, joins: bool = True, longest_seconds: float = LONGEST_SECONDS
) -> list[Check]:
    """All checks, without a secret in them, after at most `longest_seconds`.

    With `joins` a room of LiveKit's is joined for a moment.
    """
    found = find(dotenv)
    examinations = [
        (_livekit_names(joins=joins), _livekit(found, joins=joins)),
        (_ASSEMBLYAI, _assemblyai(found)),
        (_OPENAI, _openai(found)),
        (_REDIS, _redis(found)),
        (_MACHINE, _machine()),
        ((Name.HEALTH_PORT, Name.METRICS_PORT), _ports(found)),
    ]
    groups = await asyncio.gather(
        *(_in_time(names, work, longest_seconds) for names, work in examinations)
    )
    checks = settings.judge(found.faults, found.notes, found.texts, variables())
    for group in groups:
        checks += group
    checks.sort(key=lambda check: _ORDER.index(check.name))
    redaction = Redaction(found.secrets)
    return without(checks, lambda text: redaction.text(text, may_quote=False))


def examine_manifests(file: TextIO) -> list[Check]:
    """The checks of rendered manifests of Kubernetes: YAML documents, one after the other."""
    try:
        return kubernetes.judge(workers(yaml.safe_load_all(file.read())))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        seen = f"this is no YAML ({' '.join(str(error).split())})"
        mend = "give it what `kubectl kustomize FOLDER` prints"
        return [fault(Name.KUBERNETES_WORKER, seen, mend)]


_ASSEMBLYAI = (
    Name.ASSEMBLYAI_ADDRESS,
    Name.ASSEMBLYAI_KEY,
    Name.ASSEMBLYAI_CLOCK,
    Name.ASSEMBLYAI_FALLBACK,
)
_OPENAI = (Name.OPENAI_LLM, Name.OPENAI_TTS, Name.OPENAI_FALLBACK)
_REDIS = (Name.REDIS_ADDRESS, Name.REDIS_VERSION, Name.REDIS_MEMORY, Name.REDIS_CLOCK)
_MACHINE = (Name.CERTIFICATES, Name.VAD_MODEL, Name.AUDIO_DEVICES, Name.PACKAGES)


def _livekit_names(*, joins: bool) -> tuple[Name, ...]:
    names = (Name.LIVEKIT_ADDRESS, Name.LIVEKIT_KEY, Name.LIVEKIT_CLOCK, Name.LIVEKIT_WORKER)
    return (*names, Name.LIVEKIT_MEDIA) if joins else names


async def _in_time(
    names: Iterable[Name], work: Coroutine[Any, Any, list[Check]], seconds: float
) -> list[Check]:
    """The checks that `work` makes, or a warning for each of `names` if it takes too long or fails.

    What is given up may still end in its own time: nobody waits for it.
    """
    task = asyncio.ensure_future(work)
    await asyncio.wait({task}, timeout=seconds)
    if not task.done():
        task.cancel()
        mend = "try again; if it stays so, this machine or its network is overloaded"
        return [warning(name, f"no result within {seconds:g} s", mend) for name in names]
    if error := task.exception():
        mend = "report it with the output of `python agent.py settings`"
        return [warning(each, f"the check itself failed ({error!r})", mend) for each in names]
    return task.result()


async def _livekit(found: Found, *, joins: bool) -> list[Check]:
    if found.livekit is None:
        why = "LIVEKIT_URL, LIVEKIT_API_KEY or LIVEKIT_API_SECRET is missing or wrong"
        return [skipped(name, why) for name in _livekit_names(joins=joins)]
    listed = await ask_livekit(found.livekit)
    checks = livekit.judge(found.livekit, listed)
    if not livekit.accepts_key(listed):
        later = _livekit_names(joins=joins)[3:]
        return checks + [skipped(name, "LiveKit does not accept our key") for name in later]
    name = found.agent.name if found.agent else ""
    if not joins:
        return [*checks, livekit.worker(name, await agents_in(found.livekit, listed))]
    agents, joining = await asyncio.gather(agents_in(found.livekit, listed), join(found.livekit))
    return [*checks, livekit.worker(name, agents), livekit.media(found.livekit.url, joining)]


async def _assemblyai(found: Found) -> list[Check]:
    if found.assemblyai is None:
        why = "a setting of AssemblyAI's is missing or wrong"
        return [skipped(name, why) for name in _ASSEMBLYAI]
    url, second = found.assemblyai.base_url, found.assemblyai.fallback_base_url
    key = found.assemblyai.api_key.get_secret_value()
    answers = await asyncio.gather(*(ask_assemblyai(each, key) for each in (url, second) if each))
    checks = assemblyai.judge(url, key, answers[0])
    return [*checks, assemblyai.judge_fallback(second, answers[1] if second else None)]


async def _openai(found: Found) -> list[Check]:
    if found.openai is None:
        why = "a setting of OpenAI's is missing or wrong"
        return [skipped(name, why) for name in _OPENAI]
    roles = openai.roles(found.openai)
    accounts = list({(each.account.base_url, each.account.api_key): each for each in roles})
    asked = await asyncio.gather(
        *(ask_openai(next(r.account for r in roles if _account(r) == each)) for each in accounts)
    )
    answers = dict(zip(accounts, asked, strict=True))
    checks = [openai.judge(role, answers[_account(role)]) for role in roles]
    fallback = any(role.name is Name.OPENAI_FALLBACK for role in roles)
    return checks if fallback else [*checks, openai.unset_fallback()]


def _account(role: openai.Role) -> tuple[str, Any]:
    return role.account.base_url, role.account.api_key


async def _redis(found: Found) -> list[Check]:
    if (agent := found.agent) is None:
        return [skipped(name, "a setting of the agent's is wrong") for name in _REDIS]
    if (url := agent.redis_url) is None:
        return redis.judge(None, None)
    return redis.judge(url.get_secret_value(), await ask_redis(url))


async def _ports(found: Found) -> list[Check]:
    if (agent := found.agent) is None:
        why = "a setting of the agent's is wrong"
        return [skipped(name, why) for name in (Name.HEALTH_PORT, Name.METRICS_PORT)]
    wanted = (
        (Name.HEALTH_PORT, "AGENT_HTTP_PORT", agent.http_port),
        (Name.METRICS_PORT, "AGENT_METRICS_PORT", agent.metrics_port),
    )
    return [
        machine.port(
            name, setting, agent.http_host, number, await look_at_port(agent.http_host, number)
        )
        for name, setting, number in wanted
    ]


async def _machine() -> list[Check]:
    tested = packages_in(LOCK)
    certificate, vad, sound = await asyncio.gather(
        _in_thread(certificates_problem), _in_thread(vad_problem), _in_thread(devices)
    )
    return [
        machine.certificates(certificate),
        machine.vad_model(vad),
        machine.audio(sound),
        machine.packages(installed_packages(list(tested)), tested),
    ]


def _in_thread(look: Callable[[], T]) -> Awaitable[T]:
    """What `look` returns or raises. Its thread keeps no program from its end, unlike a pool's."""
    loop = asyncio.get_running_loop()
    result: asyncio.Future[T] = loop.create_future()

    def run() -> None:
        try:
            settle = partial(_settle, result, look())
        except Exception as error:
            settle = partial(_fail, result, error)
        with contextlib.suppress(RuntimeError):  # nobody waits any more: the loop is closed
            loop.call_soon_threadsafe(settle)

    threading.Thread(target=run, name=look.__name__, daemon=True).start()
    return result


def _settle(result: asyncio.Future[T], value: T) -> None:
    if not result.done():
        result.set_result(value)


def _fail(result: asyncio.Future[T], error: Exception) -> None:
    if not result.done():
        result.set_exception(error)
