"""`python -m workbench.bench.sessions`: records the sessions of tests/data with the stand-in."""

import asyncio
import sys
from dataclasses import dataclass

from pydantic import SecretStr

from stt_assemblyai.connector import Connector
from stt_assemblyai.options import SessionOptions
from workbench.arguments import expect_none
from workbench.bench.compare.spoken import CountingStandIn, Speech, pcm, say
from workbench.bench.sessions.listener import listen
from workbench.bench.sessions.recorder import Recorder
from workbench.bench.sessions.recording import Recording
from workbench.local.running import PROJECT
from workbench.standins.assemblyai_v3.knobs import Fault
from workbench.standins.assemblyai_v3.server import LOCAL_KEY

_DATA = PROJECT / "tests" / "data"


@dataclass(frozen=True, slots=True)
class _Session:
    name: str
    note: str
    options: SessionOptions
    speech: Speech
    audio_ms: int
    faults: tuple[Fault, ...] = ()


_US = SessionOptions(speech_model="universal-streaming-english", format_turns=True)
_SESSIONS = (
    _Session(
        "us_formatted",
        "US model: a turn and its formatted twin, then a turn that the end of input ends",
        _US,
        say("Two tickets for Paris please. Leaving tomorrow morning."),
        4300,
    ),
    _Session(
        "u3_pause",
        "U3 model: partials that are rewritten, and a pause in mid-sentence",
        SessionOptions(speech_model="universal-3-6-pro", mode="balanced"),
        say("I would like a table, for seven people please.", drafts=True, pause_ms=1000),
        5500,
    ),
    _Session(
        "us_drop_and_resume",
        "US model: the connection breaks off in mid-turn, and the turn goes on in the next session",
        _US,
        say("Could you book two tickets for Paris please."),
        6000,
        (Fault(drop_at_ms=1500),),
    ),
)


async def _record(session: _Session) -> Recording:
    rate = session.options.sample_rate
    stand_in = CountingStandIn(faults=session.faults)
    stand_in.speech = session.speech
    async with stand_in:
        recorder = Recorder(Connector(stand_in.url, api_key=SecretStr(LOCAL_KEY)), keep_words=True)
        told = await listen(
            recorder,
            session.options,
            audio_ms=session.audio_ms,
            sound=lambda start, end: pcm(
                session.speech, from_ms=start, until_ms=end, sample_rate=rate
            ),
            wall=None,
        )
    return Recording(
        note=session.note,
        options=session.options.model_dump(exclude_unset=True),
        audio_ms=session.audio_ms,
        steps=tuple(recorder.steps),
        told=told,
    )


async def _record_all() -> None:
    _DATA.mkdir(exist_ok=True)
    async with asyncio.TaskGroup() as group:
        runs = {one.name: group.create_task(_record(one)) for one in _SESSIONS}
    for name, run in runs.items():
        run.result().save(_DATA / f"{name}.jsonl")
        print(f"{name}: {len(run.result().steps)} steps")


if __name__ == "__main__":
    expect_none("workbench.bench.sessions", __doc__)
    asyncio.run(_record_all())
    sys.exit(0)
