"""A person reads on while connections break: the stand-in really hears what it is sent."""

import asyncio
import random
import re
from typing import Any

import jiwer
import numpy as np
import pytest
import soundfile
from pydantic import SecretStr

from stt_assemblyai.connector import Connector
from stt_assemblyai.events import Final, Interrupted
from stt_assemblyai.options import SessionOptions
from stt_assemblyai.retries import Patience, Retries
from stt_assemblyai.timing import Timing
from stt_assemblyai.transcriber import StreamConfig, Transcriber
from workbench.standins.assemblyai_v3.heard import Engines
from workbench.standins.assemblyai_v3.knobs import Fault, Knobs
from workbench.standins.assemblyai_v3.server import LOCAL_KEY, AssemblyAIStandIn
from workbench.standins.engines.activity import ActivityDetector
from workbench.standins.engines.recognizer import Recognizer
from workbench.standins.engines.weights import package_directory

DICKENS = (
    "it was the best of times it was the worst of times it was the age of wisdom it was the age "
    "of foolishness it was the epoch of belief it was the epoch of incredulity "
    "it was the season of light"
)
SPEED = 4.0


@pytest.mark.parametrize("model", ["universal-streaming-english", "universal-3-6-pro"])
async def test_ten_broken_connections_in_human_speech_cost_no_words(model: str) -> None:
    path = package_directory("moonshine_voice") / "assets" / "two_cities.wav"
    samples, _ = soundfile.read(path, dtype="int16", frames=15 * 48_000)
    pcm = np.concatenate([samples, np.zeros(96_000, np.int16)])[::3].tobytes()
    recognizer = Recognizer.load()
    drops = [Fault(drop_at_ms=ms) for ms in (3300, 4100, 3900, 4600, 3500, 4300, 3700, 4000)]
    events: list[Any] = []

    async with AssemblyAIStandIn(
        engines=lambda: Engines(recognizer.decode, ActivityDetector.load().probability),
        faults=[*drops, Fault(http_status=503), Fault(drop_at_ms=3000)],
        knobs=Knobs(begin_delay_ms=0, throttle=None),
    ) as stand_in:
        transcriber = Transcriber(
            Connector(stand_in.url, api_key=SecretStr(LOCAL_KEY)),
            StreamConfig(
                SessionOptions(speech_model=model),  # type: ignore[arg-type]
                timing=Timing(replay_speed=SPEED, termination_timeout_seconds=30),  # may be slow
            ),
            events.append,
            # Others that are so soon over would be opened further and further apart.
            retries=Retries(Patience(proven_after_seconds=0.2), random.random),
        )
        transcriber.push(pcm)
        transcriber.end_input()
        await asyncio.wait_for(transcriber.run(), timeout=60)

    heard = " ".join(event.transcript.text for event in events if isinstance(event, Final))
    words = " ".join(re.findall(r"[a-z']+", heard.lower()))
    assert sum(isinstance(event, Interrupted) for event in events) == 10
    assert jiwer.wer(DICKENS, words) < 0.15, words
