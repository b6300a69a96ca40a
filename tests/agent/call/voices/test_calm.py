"""Sound waits in a calm, and never when it becomes louder."""

import pytest

from agent.call.voices.calm import Calm

NOISE_DB, VOICE_DB = -60.0, -30.0


def calm_after(seconds: float, probability: float = 0.02) -> Calm:
    calm = Calm()
    for _ in range(round(seconds / 0.05)):
        calm.may_wait(NOISE_DB)
        calm.judged(probability, 0.05)
    return calm


def test_sound_waits_after_a_while_without_a_voice() -> None:
    assert not Calm().may_wait(NOISE_DB)
    assert not calm_after(1.0).may_wait(NOISE_DB)
    assert calm_after(2.0).may_wait(NOISE_DB)


def test_whatever_may_be_a_voice_ends_the_calm() -> None:
    calm = calm_after(10.0)
    calm.judged(0.2, 0.032)
    assert not calm.may_wait(NOISE_DB)
    assert not calm_after(10.0, probability=0.2).may_wait(NOISE_DB)


@pytest.mark.parametrize(("louder_db", "waits"), [(0, True), (5, True), (7, False), (30, False)])
def test_louder_sound_is_judged_at_once(louder_db: float, waits: bool) -> None:
    assert calm_after(10.0).may_wait(NOISE_DB + louder_db) is waits


def test_a_line_that_becomes_noisier_is_calm_again_after_a_while() -> None:
    calm = calm_after(10.0)
    assert not calm.may_wait(NOISE_DB + 10)
    waits = [calm.may_wait(NOISE_DB + 10) for _ in range(20 * 12)]
    assert not waits[0]
    assert waits[-1]
