"""The whole of hearing on a human voice: sessions with the real engines, without a socket."""

import re

import jiwer
import numpy as np
import numpy.typing as npt
import pytest
import soundfile

from workbench.standins.assemblyai_v3.heard import Engines, HeardRecognizer
from workbench.standins.assemblyai_v3.knobs import Knobs
from workbench.standins.assemblyai_v3.outputs import Send
from workbench.standins.assemblyai_v3.parameters import from_query
from workbench.standins.assemblyai_v3.session import Session
from workbench.standins.assemblyai_v3.sound import SoundReader
from workbench.standins.engines.activity import ActivityDetector
from workbench.standins.engines.recognizer import Recognizer
from workbench.standins.engines.weights import package_directory

DICKENS = (
    "it was the best of times it was the worst of times it was the age of wisdom it was the age "
    "of foolishness it was the epoch of belief it was the epoch of incredulity "
    "it was the season of light"
)
SECONDS = 15.0
Pcm = npt.NDArray[np.int16]


@pytest.fixture(scope="module")
def recognizer() -> Recognizer:
    return Recognizer.load()


@pytest.fixture(scope="module")
def dickens() -> Pcm:
    """The opening of a novel, read by a person, and then silence: 48 kHz."""
    path = package_directory("moonshine_voice") / "assets" / "two_cities.wav"
    samples, rate_hz = soundfile.read(path, dtype="int16", frames=int(SECONDS * 48_000))
    assert rate_hz == 48_000
    return np.concatenate([samples, np.zeros(96_000, np.int16)])


def turns(recognizer: Recognizer, pcm: Pcm, rate_hz: int, **query: str) -> list[str]:
    """The transcripts of the turns that this audio makes, sent in frames of 50 ms."""
    parameters = from_query([("sample_rate", str(rate_hz)), *query.items()])
    engines = Engines(recognizer.decode, ActivityDetector.load().probability)
    hearing = HeardRecognizer(
        engines,
        SoundReader(parameters.encoding, rate_hz),
        is_immutable=not parameters.is_rewriting,
    )
    hearing.adapt(
        vad_threshold=parameters.effective_vad_threshold,
        min_turn_silence_ms=parameters.silences.min_ms,
    )
    session = Session(parameters, hearing, Knobs())
    data, step = pcm.tobytes(), rate_hz // 20 * 2
    outputs = [
        output
        for start in range(0, len(data), step)
        for output in session.accept_audio(data[start : start + step])
    ]
    messages = [output.message for output in outputs if isinstance(output, Send)]
    return [message["transcript"] for message in messages if message.get("end_of_turn")]


@pytest.mark.parametrize(
    ("model", "step"),
    [
        # At 48 and 16 kHz the recogniser loses the first clauses on some processors.
        ("universal-streaming-english", 2),
        ("universal-streaming-english", 6),
        ("universal-3-6-pro", 3),
    ],
)
def test_a_person_is_understood_at_any_rate_by_any_model(
    recognizer: Recognizer, dickens: Pcm, model: str, step: int
) -> None:
    rate_hz = 48_000 // step
    heard = turns(recognizer, np.ascontiguousarray(dickens[::step]), rate_hz, speech_model=model)
    words = " ".join(re.findall(r"[a-z']+", " ".join(heard).lower()))
    assert jiwer.wer(DICKENS, words) < 0.15, words


def test_patience_keeps_pauses_inside_a_turn(recognizer: Recognizer, dickens: Pcm) -> None:
    """There are pauses of up to a second between the clauses."""
    heard = turns(
        recognizer,
        np.ascontiguousarray(dickens[::3]),
        16_000,
        speech_model="universal-streaming-english",
        end_of_turn_confidence_threshold="1",
        max_turn_silence="2000",
    )
    assert len(heard) == 1
