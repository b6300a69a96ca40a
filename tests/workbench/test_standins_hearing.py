"""What the heard recognizer makes of voices and transcripts; the engines are functions here."""

from collections.abc import Callable, Iterator
from itertools import pairwise

import numpy as np
import pytest

from workbench.standins.assemblyai_v3.agreement import agreed, continuation
from workbench.standins.assemblyai_v3.endings import end_of_turn_confidence
from workbench.standins.assemblyai_v3.framing import FrameRules
from workbench.standins.assemblyai_v3.heard import Engines, HeardRecognizer
from workbench.standins.assemblyai_v3.hearing import Hearing, Word
from workbench.standins.assemblyai_v3.knobs import Knobs
from workbench.standins.assemblyai_v3.sound import Samples, SoundReader, expand_mulaw
from workbench.standins.assemblyai_v3.throttle import Throttle
from workbench.standins.assemblyai_v3.window import as_spoken, timed

LOUD = np.full(512, 16_000, np.int16).tobytes()
QUIET = bytes(1024)
SENTENCE = "I would like to book a table for seven people on Friday at eight"


def recognizer(decode: Callable[[Samples], str], *, is_immutable: bool = True) -> HeardRecognizer:
    """Loud frames are voice."""
    engines = Engines(decode, lambda frame: float(np.abs(frame).max()))
    made = HeardRecognizer(engines, SoundReader("pcm_s16le", 16_000), is_immutable=is_immutable)
    made.adapt(vad_threshold=0.4, min_turn_silence_ms=400)
    return made


def spell(samples: Samples) -> str:
    """One word for each 160 ms of voice."""
    return " ".join(SENTENCE.split()[: int(np.count_nonzero(samples)) // 2560])


def listen(to: HeardRecognizer, *frames: bytes) -> list[Hearing]:
    return [hearing for frame in frames for hearing in to.listen(frame, 32)]


def test_a_pause_settles_the_words() -> None:
    hearings = listen(recognizer(spell), *[LOUD] * 30, *[QUIET] * 10)
    last = hearings[-1]
    assert last.is_settled
    assert [word.text for word in last.words] == ["I", "would", "like", "to", "book", "a"]
    assert all(word.is_final for word in last.words)
    assert last.silence_ms == 320
    assert (last.onset_ms, last.words[0].start_ms, last.words[-1].end_ms) == (0, 0, 960)


def test_final_words_never_change_whatever_the_engine_thinks_later() -> None:
    answers: Iterator[str] = iter(["so hello", "so hello the", "oh yellow there my", "x friend"])
    heard = recognizer(lambda _: next(answers))
    hearings = listen(heard, *[LOUD] * 55, *[QUIET] * 10)
    finals = [tuple(word.text for word in hearing.words if word.is_final) for hearing in hearings]
    for before, after in pairwise(finals):
        assert after[: len(before)] == before
    assert finals[-1][:2] == ("so", "hello")


def test_a_click_is_no_speech() -> None:
    decoded: list[int] = []

    def decode(samples: Samples) -> str:
        decoded.append(samples.size)
        return "You"

    hearings = listen(recognizer(decode), *[LOUD] * 4, *[QUIET] * 20)
    assert hearings[-1].words == ()
    assert decoded == []


def test_speech_goes_on_after_a_pause_in_the_same_turn() -> None:
    heard = recognizer(spell)
    listen(heard, *[LOUD] * 15, *[QUIET] * 10)
    last = listen(heard, *[LOUD] * 15, *[QUIET] * 10)[-1]
    assert [word.text for word in last.words] == ["I", "would", "like", "to", "book", "a"]


def test_a_closed_turn_is_forgotten() -> None:
    heard = recognizer(spell)
    listen(heard, *[LOUD] * 15, *[QUIET] * 10)
    heard.close_turn()
    assert listen(heard, *[QUIET] * 5)[-1].words == ()
    assert [word.text for word in listen(heard, *[LOUD] * 5, *[QUIET] * 10)[-1].words] == ["I"]


def test_words_can_be_concluded_in_mid_speech() -> None:
    heard = recognizer(spell)
    assert heard.conclude().words == ()
    listen(heard, *[LOUD] * 15)
    concluded = heard.conclude()
    assert [word.text for word in concluded.words] == ["I", "would", "like"]
    assert concluded.is_settled


def test_speech_without_a_pause_is_decoded_in_pieces() -> None:
    longest = 0

    def decode(samples: Samples) -> str:
        nonlocal longest
        longest = max(longest, samples.size)
        return "on and on"

    listen(recognizer(decode), *[LOUD] * 1000)
    assert longest <= 12 * 16_000


def test_an_engine_that_hears_nothing_opens_no_turn() -> None:
    assert listen(recognizer(lambda _: ""), *[LOUD] * 30, *[QUIET] * 10)[-1].words == ()


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("What is your name?", 0.8, 1),
        ("My name is Maria.", 0.8, 1),
        ("Yes", 0.5, 0.8),
        ("I would like to book a table for", 0, 0.3),
        ("I would like to book a table for.", 0, 0.3),
        ("What is seven plus?", 0, 0.3),
        ("If it rains tomorrow,", 0, 0.3),
        ('She said "no."', 0.8, 1),
        ("seven people will come on Friday", 0.2, 0.39),
        ("", 0, 0),
    ],
)
@pytest.mark.parametrize("silence_ms", [100, 3000])
def test_a_finished_sentence_is_a_likely_end(
    text: str, low: float, high: float, silence_ms: int
) -> None:
    assert low <= end_of_turn_confidence(text, silence_ms) <= high


@pytest.mark.parametrize(
    ("told", "fresh", "new"),
    [
        ("", "hello there", "hello there"),
        ("hello", "Hello, there", "there"),
        ("hello there", "hello there", ""),
        ("i would", "I would like", "like"),
        ("i wood", "I would like", "like"),
        ("two tickets two", "two tickets to Boston", "Boston"),
        ("one two three", "four", ""),
    ],
)
def test_only_what_comes_after_the_told_words_is_new(told: str, fresh: str, new: str) -> None:
    words = fresh.split()
    assert " ".join(words[continuation(told.split(), words) :]) == new


@pytest.mark.parametrize(
    ("before", "now", "count"),
    [("", "a b", 0), ("a b", "a b c", 2), ("a b", "A, b", 1), ("a x c", "a b c d", 1)],
)
def test_two_transcripts_agree_but_never_on_the_newest_word(
    before: str, now: str, count: int
) -> None:
    assert agreed(before.split(), now.split()) == count


def test_longer_words_take_longer_and_pauses_are_left_out() -> None:
    voiced_at_ms = [*range(0, 320, 32), *range(1000, 1320, 32)]
    words = timed(["a", "longest", "word"], voiced_at_ms)
    assert [(word.start_ms, word.end_ms) for word in words] == [(0, 32), (32, 1096), (1096, 1320)]


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        ("42", "forty two"),
        ("7?", "seven"),
        ("1,200", "one thousand two hundred"),
        ("555-1234", "five five five one two three four"),
        ("B2B", "B2B"),
        ("hello", "hello"),
    ],
)
def test_numbers_are_spoken_in_words(text: str, spoken: str) -> None:
    words = as_spoken(Word(text, 0, 1000))
    assert " ".join(word.text for word in words) == spoken
    assert (words[0].start_ms, words[-1].end_ms) == (0, 1000)


@pytest.mark.parametrize("rate", [8000, 16_000, 22_050, 24_000, 48_000])
def test_any_rate_becomes_16_khz(rate: int) -> None:
    tone = (8000 * np.sin(2 * np.pi * 440 * np.arange(rate) / rate)).astype("<i2").tobytes()
    reader = SoundReader("pcm_s16le", rate)
    samples = np.concatenate(
        [reader.read(tone[start : start + rate // 10]) for start in range(0, len(tone), rate // 10)]
    )
    assert samples.size == pytest.approx(16_000, abs=64)
    spectrum = np.abs(np.fft.rfft(samples[:8000]))
    assert np.argmax(spectrum) * 2 == pytest.approx(440, abs=2)


def test_bytes_may_be_cut_in_mid_sample() -> None:
    reader = SoundReader("pcm_s16le", 16_000)
    pieces = [reader.read(b"\x01"), reader.read(b"\x00\x02"), reader.read(b"\x00")]
    assert (np.concatenate(pieces) * 32768).tolist() == [1, 2]


@pytest.mark.parametrize(
    ("code", "value"), [(0x00, -32124), (0x80, 32124), (0xFF, 0), (0x7F, 0), (0xF0, 120)]
)
def test_mu_law_is_expanded(code: int, value: int) -> None:
    assert expand_mulaw(np.array([code], np.uint8)).tolist() == [value]


def test_mu_law_takes_half_the_bytes() -> None:
    assert FrameRules("pcm_mulaw", 8000, Knobs()).duration_ms(bytes(400)) == 50
    assert FrameRules("pcm_s16le", 8000, Knobs()).duration_ms(bytes(800)) == 50


def test_a_good_frame_forgives_the_short_ones_before() -> None:
    rules = FrameRules("pcm_s16le", 16_000, Knobs())
    verdicts = [rules.judge(20) for _ in range(49)] + [rules.judge(50)]
    verdicts += [rules.judge(20) for _ in range(49)]
    assert verdicts == [None] * 99
    assert rules.judge(20) is not None


def test_real_time_audio_is_never_held_back() -> None:
    throttle = Throttle(1.25, 1000, 0.0)
    assert all(throttle.wait_seconds(50, 0.05 * index) == 0 for index in range(10_000))


def test_a_burst_is_held_back_to_a_quarter_faster_than_real_time() -> None:
    throttle = Throttle(1.25, 1000, 0.0)
    now = 0.0
    for _ in range(200):
        now += throttle.wait_seconds(50, now)
    assert now == pytest.approx((10_000 - 1000) / 1250)


def test_a_long_rest_does_not_buy_a_longer_burst() -> None:
    throttle = Throttle(1.25, 1000, 0.0)
    assert throttle.wait_seconds(2000, 3600.0) == pytest.approx(0.8)


def test_a_late_recognizer_leaves_partial_transcripts_out() -> None:
    decoded: list[int] = []

    def decode(samples: Samples) -> str:
        decoded.append(samples.size)
        return "hello there"

    heard = recognizer(decode)
    for frame in [*[LOUD] * 60, *[QUIET] * 10]:
        hearings = list(heard.listen(frame, 32, is_late=True))
    assert [word.text for word in hearings[-1].words] == ["hello", "there"]
    assert len(decoded) == 1
