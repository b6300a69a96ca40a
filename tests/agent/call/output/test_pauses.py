"""How long the agent is silent between the pieces of one reply."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.call.output.pauses import LEAD_SECONDS, Pauses

RATE = 24_000
SENTENCE = "It is seven o'clock."
CLAUSE = "Of course, I can book that for you,"


def quiet(seconds: float) -> bytes:
    """A voice's silence, with a little noise in it."""
    noise = np.random.default_rng(7).normal(0, 20, round(RATE * seconds))
    return noise.astype(np.int16).tobytes()


def voice(seconds: float) -> bytes:
    return np.full(round(RATE * seconds), 3000, np.int16).tobytes()


def said(sound: bytes) -> list[float]:
    """How long it is silent, voiced, silent ... in tenths of a second, as nearly as can be told."""
    loud = np.abs(np.frombuffer(sound, np.int16).astype(int)) > 1000
    edges = np.flatnonzero(np.diff(loud.astype(int))) + 1
    sizes = np.diff(np.concatenate([[0], edges, [loud.size]]))
    lengths = [round(size / RATE, 2) for size in sizes.tolist()]
    return [0.0, *lengths] if loud.size and loud[0] else lengths


def heard(*pieces: tuple[str, bytes], longest_seconds: float = 0.25, step: int = 4801) -> bytes:
    """What is heard of these texts and their sound, which comes in odd parts."""
    pauses = Pauses(RATE, 1, longest_seconds)
    out = b""
    for text, sound in pieces:
        pauses.begin_piece(text)
        for start in range(0, len(sound), step):
            out += pauses.push(sound[start : start + step])
        out += pauses.end_piece()
    return out


SPOKEN = quiet(0.3) + voice(1) + quiet(0.5)


def test_between_two_sentences_the_pause_is_a_readers() -> None:
    assert said(heard((SENTENCE, SPOKEN), (SENTENCE, SPOKEN))) == [0.05, 1, 0.25, 1, 0.2]


def test_behind_a_clause_it_is_shorter() -> None:
    assert said(heard((CLAUSE, SPOKEN), (SENTENCE, SPOKEN))) == [0.05, 1, 0.15, 1, 0.2]


def test_inside_of_a_piece_it_is_no_longer_either() -> None:
    sound = voice(1) + quiet(0.64) + voice(1)
    assert said(heard(("Yes. It is seven.", sound))) == [0, 1, 0.25, 1]


def test_shorter_pauses_are_the_voices_own() -> None:
    sound = voice(1) + quiet(0.18) + voice(1) + quiet(0.1)
    assert said(heard((SENTENCE, sound), (SENTENCE, voice(1)))) == [0, 1, 0.18, 1, 0.1, 1]


def test_a_voice_that_leaves_long_pauses_may_keep_them() -> None:
    sound = voice(1) + quiet(0.5)
    spoken = heard((SENTENCE, sound), (SENTENCE, SPOKEN), longest_seconds=5)
    assert said(spoken) == [0, 1, 0.8, 1, 0.5]


def test_a_silent_piece_is_kept_and_so_is_a_soft_voice() -> None:
    soft = (voice(2)[0:0] + np.full(RATE, 60, np.int16).tobytes(), bytes(RATE))
    for sound in soft:
        assert heard((SENTENCE, sound)) == sound
        assert heard((SENTENCE, SPOKEN), (SENTENCE, sound)).endswith(sound[-RATE // 4 :])


def test_a_soft_consonant_before_a_word_is_kept() -> None:
    breath = np.full(round(RATE * LEAD_SECONDS), 90, np.int16).tobytes()
    spoken = heard((SENTENCE, quiet(0.3) + breath + voice(1)))
    assert spoken == breath + voice(1)


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.booleans(), st.integers(0, 900)), max_size=12),
    st.integers(1, 9000),
    st.sampled_from([1, 2]),
)
def test_no_sample_of_a_voice_is_lost_and_no_silence_is_too_long(
    parts: list[tuple[bool, int]], step: int, channels: int
) -> None:
    sound = b"".join(
        (voice if loud else quiet)(milliseconds / 1000) for loud, milliseconds in parts
    )
    sound = np.repeat(np.frombuffer(sound, np.int16), channels).tobytes()
    pauses = Pauses(RATE, channels, 0.25)
    pauses.begin_piece(SENTENCE)
    out = b"".join(pauses.push(sound[at : at + step]) for at in range(0, len(sound), step))
    out += pauses.end_piece()
    before, after = (np.frombuffer(each, np.int16)[::channels] for each in (sound, out))
    assert np.count_nonzero(before == 3000) == np.count_nonzero(after == 3000)
    if np.any(after == 3000):
        assert all(length <= 0.28 for length in said(after.tobytes())[::2])


@pytest.mark.parametrize("text", ["No mark", "好。", "Ja!", "A line\nand another"])
def test_the_mark_may_be_of_any_script(text: str) -> None:
    pause = 0.15 if text == "No mark" else 0.25
    assert said(heard((text, voice(1) + quiet(1)), (SENTENCE, voice(1))))[2] == pytest.approx(
        pause - LEAD_SECONDS
    )
