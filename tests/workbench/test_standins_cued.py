"""Speech whose words are decided beforehand and whose time is heard."""

import numpy as np
import pytest

from workbench.standins.assemblyai_v3.cued import Cue, CuedRecognizer
from workbench.standins.assemblyai_v3.hearing import Hearing
from workbench.standins.assemblyai_v3.scripted import ScriptedWord
from workbench.standins.assemblyai_v3.sound import SoundReader

RATE = 16_000
YES = Cue((ScriptedWord("Yes.", 0, 300),))
COSTS = Cue(
    (ScriptedWord("It", 0, 100), ScriptedWord("is", 100, 200), ScriptedWord("ten", 700, 900))
)


def voice(duration_ms: int) -> bytes:
    return (np.full(RATE * duration_ms // 1000, 5000, "<i2")).tobytes()


def silence(duration_ms: int) -> bytes:
    return bytes(RATE * duration_ms // 1000 * 2)


def hear(cues: list[Cue], audio: bytes, *, chunk_ms: int = 50) -> list[Hearing]:
    ear = CuedRecognizer(cues, SoundReader("pcm_s16le", RATE))
    size = RATE * chunk_ms // 1000 * 2
    chunks = (audio[start : start + size] for start in range(0, len(audio), size))
    return [each for chunk in chunks for each in ear.listen(chunk, len(chunk) / RATE * 500)]


def times(hearing: Hearing) -> list[tuple[str, int, int]]:
    return [(word.text, word.start_ms, word.end_ms) for word in hearing.words]


@pytest.mark.parametrize("chunk_ms", [50, 70, 1000])
def test_words_begin_where_the_voice_begins(chunk_ms: int) -> None:
    audio = silence(430) + voice(300) + silence(600)
    assert times(hear([YES], audio, chunk_ms=chunk_ms)[-1]) == [("Yes.", 430, 730)]


def test_silence_is_counted_from_the_end_of_the_words() -> None:
    last = hear([YES], silence(430) + voice(300) + silence(600))[-1]
    assert last.silence_ms == 600


def test_a_pause_within_a_cue_begins_no_other() -> None:
    audio = voice(200) + silence(500) + voice(200) + silence(500)
    assert [word.text for word in hear([COSTS, YES], audio)[-1].words] == ["It", "is", "ten"]


def test_the_next_voice_begins_the_next_cue() -> None:
    audio = voice(300) + silence(1000) + voice(300) + silence(400)
    assert times(hear([YES, YES], audio)[-1])[-1] == ("Yes.", 1300, 1600)


def test_a_voice_that_dies_away_begins_nothing() -> None:
    audio = voice(350) + silence(60) + voice(10) + silence(900)
    assert len(hear([YES, YES], audio)[-1].words) == 1


def test_voices_without_a_cue_say_nothing() -> None:
    assert not hear([], voice(900) + silence(400))[-1].words


def test_the_formatted_twin_may_write_words_otherwise() -> None:
    price = Cue(
        (
            ScriptedWord("twenty", 0, 200, written="$20."),
            ScriptedWord("dollars.", 200, 500, written=""),
        )
    )
    last = hear([price], voice(500) + silence(200))[-1]
    assert [word.text for word in last.words] == ["twenty", "dollars."]
    assert [word.text for word in last.formatted_words] == ["$20."]
