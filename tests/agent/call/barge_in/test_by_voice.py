"""Whether the agent yields to a voice before anybody knows what it says; by the voice detector's
results."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from agent.call.barge_in.by_voice import (
    DISTRUST_SECONDS,
    EXPECTING_SECONDS,
    LIMITS,
    MOST_WORDLESS,
    Limits,
    Posture,
    Strength,
    VoiceBargeIn,
    limits_of,
)
from agent.call.barge_in.interruptions import Verdict
from agent.call.voices.vad_tap import RESULT_SECONDS
from config.behaviour import AgentSettings

STEP = RESULT_SECONDS
QUIET_SECONDS = LIMITS["balanced"].quiet_seconds
VOICE, UNSURE, HUM, SILENCE = 0.95, 0.6, 0.2, 0.01


class Line:
    """What is heard while the agent speaks, and when the agent was silent, in seconds."""

    def __init__(self, strength: Strength = "balanced", limits: Limits | None = None) -> None:
        self.barge_in = VoiceBargeIn(limits or LIMITS[strength], threshold=0.4)
        self.now = 100.0
        self.posture = Posture.SPEAKS
        self.yielded_seconds = 0.0

    def hear(self, seconds: float, probability: float = VOICE, level_db: float = -25) -> bool:
        """For so long; whether the agent yields then."""
        for _ in self._steps(seconds):
            self.barge_in.hear(self.now, probability, level_db)
            self.look()
            self.yielded_seconds += STEP * (self.posture is not Posture.SPEAKS)
        return self.posture is not Posture.SPEAKS

    def on_verdict(self, verdict: Verdict | None) -> Posture:
        self.barge_in.on_verdict(verdict)
        return self.look()

    def look(self) -> Posture:
        self.posture = self.barge_in.posture(self.now)
        return self.posture

    def caller_speaks(self, level_db: float) -> None:
        """In the caller's own turn."""
        for _ in self._steps(3):
            self.barge_in.hear(self.now, VOICE, level_db, callers_turn=True)
            self.look()
        self.hear(2, SILENCE)
        self.yielded_seconds = 0.0

    def _steps(self, seconds: float) -> Iterator[int]:
        for at in range(round(seconds / STEP)):
            self.now += STEP
            yield at


@pytest.mark.parametrize("strength", LIMITS)
def test_the_agent_yields_to_a_voice_that_lasts(strength: Strength) -> None:
    line = Line(strength)
    onset = LIMITS[strength].onset_seconds
    assert not line.hear(onset - STEP, UNSURE)
    assert line.hear(3 * STEP, UNSURE)


def test_the_words_of_a_voice_far_softer_than_the_callers_are_an_aside() -> None:
    line = Line()
    begun_at = line.now
    line.hear(0.5, level_db=-45)
    assert not line.barge_in.is_aside(begun_at)  # the caller's level is not known yet
    line.caller_speaks(level_db=-25)
    begun_at = line.now
    assert not line.barge_in.is_aside(begun_at)  # nothing was heard since
    line.hear(0.5, level_db=-36)
    assert line.barge_in.is_aside(begun_at)
    line.hear(0.6, SILENCE)
    assert line.barge_in.is_aside(begun_at)  # its words come late
    line.hear(0.5, level_db=-31)
    assert not line.barge_in.is_aside(begun_at)


def test_the_agent_goes_on_softly_while_an_aside_is_heard() -> None:
    line = Line()
    line.caller_speaks(level_db=-25)
    line.hear(1, level_db=-37)
    assert line.on_verdict(Verdict.ASIDE) is Posture.DUCKS


@pytest.mark.parametrize("strength", LIMITS)
def test_to_what_is_surely_a_voice_it_yields_in_half_the_time(strength: Strength) -> None:
    line = Line(strength)
    onset = LIMITS[strength].onset_seconds
    assert not line.hear(onset / 2 - STEP)
    assert line.hear(2 * STEP)


def test_it_knows_beforehand_that_it_may_have_to_yield() -> None:
    line = Line()
    line.hear(1, SILENCE)
    assert not line.barge_in.may_yield(line.now)
    assert not line.hear(STEP)
    assert line.barge_in.may_yield(line.now)
    line.hear(0.2, SILENCE)
    assert not line.barge_in.may_yield(line.now)


def test_the_stronger_setting_yields_sooner_and_waits_longer() -> None:
    eager, balanced, calm = LIMITS.values()
    assert eager.stop_seconds < balanced.stop_seconds < calm.stop_seconds
    assert eager.onset_seconds < balanced.onset_seconds < calm.onset_seconds <= 0.4
    assert eager.wordless_seconds > balanced.wordless_seconds > calm.wordless_seconds


@pytest.mark.parametrize("strength", LIMITS)
def test_every_value_of_a_strength_can_be_set_by_itself(strength: Strength) -> None:
    assert limits_of(AgentSettings(barge_in=strength)) == LIMITS[strength]
    for field, name, value in (
        ("onset_seconds", "barge_in_voice_ms", 500),
        ("stop_seconds", "barge_in_stop_ms", 500),
        ("quiet_seconds", "barge_in_quiet_ms", 500),
        ("wordless_seconds", "barge_in_wordless_ms", 500),
        ("quieter_db", "barge_in_quieter_db", 7),
    ):
        chosen = AgentSettings.model_validate({"barge_in": strength, name: value})
        expected = value if field == "quieter_db" else value / 1000
        assert limits_of(chosen) == replace(LIMITS[strength], **{field: expected})


def test_a_value_set_by_itself_counts() -> None:
    patient = Line(limits=limits_of(AgentSettings(barge_in_voice_ms=1000)))
    assert not patient.hear(0.9, UNSURE)
    assert patient.hear(0.2, UNSURE)


@pytest.mark.parametrize("strength", LIMITS)
def test_it_goes_on_softly_and_falls_silent_when_the_voice_lasts(strength: Strength) -> None:
    line = Line(strength)
    stop = LIMITS[strength].stop_seconds
    line.hear(stop - STEP)
    assert line.posture is Posture.DUCKS
    line.hear(2 * STEP)
    assert line.posture is Posture.IS_SILENT


def test_it_goes_on_soon_after_a_sound_has_fallen_quiet() -> None:
    line = Line()
    assert line.hear(0.5, UNSURE)
    assert line.hear(QUIET_SECONDS - STEP, SILENCE)
    assert not line.hear(3 * STEP, SILENCE)
    assert QUIET_SECONDS + 2 * STEP < 0.2


@pytest.mark.parametrize("seconds", [0.3, 0.6])
def test_what_was_surely_a_voice_keeps_it_soft_until_its_words_may_be_known(seconds: float) -> None:
    """A lone word, such as stop, is over before it is recognised."""
    line = Line()
    line.hear(seconds)
    line.hear(0.5, SILENCE)
    assert line.posture is Posture.DUCKS
    assert not line.hear(EXPECTING_SECONDS - 0.4, SILENCE)


def test_a_gap_between_two_words_is_no_end() -> None:
    line = Line()
    line.hear(0.5)
    line.hear(QUIET_SECONDS, SILENCE)
    assert line.posture is Posture.IS_SILENT
    line.hear(0.1)
    assert line.posture is Posture.IS_SILENT


@pytest.mark.parametrize("probability", [HUM, SILENCE])
def test_what_is_no_voice_is_not_yielded_to(probability: float) -> None:
    line = Line()
    line.hear(30, probability, level_db=-10)
    assert line.yielded_seconds == 0


def test_clicks_of_a_keyboard_are_not_yielded_to() -> None:
    line = Line()
    for _ in range(50):
        line.hear(2 * STEP)
        line.hear(0.3, SILENCE)
    assert line.yielded_seconds == 0


def test_fast_typing_is_not_yielded_to() -> None:
    line = Line()
    for _ in range(100):
        line.hear(STEP)
        line.hear(3 * STEP, SILENCE)
    assert line.yielded_seconds == 0


@pytest.mark.parametrize("strength", LIMITS)
def test_a_voice_that_brings_no_words_is_yielded_to_once(strength: Strength) -> None:
    line = Line(strength)
    line.hear(60)
    assert line.yielded_seconds < LIMITS[strength].wordless_seconds + 0.1


def test_after_a_quiet_moment_the_next_voice_is_yielded_to() -> None:
    line = Line()
    assert not line.hear(5)
    line.hear(0.5, SILENCE)
    assert line.hear(0.4)


def test_a_voice_far_from_the_microphone_is_not_yielded_to() -> None:
    line = Line()
    line.caller_speaks(-25)
    line.hear(5, level_db=-45)
    assert line.yielded_seconds == 0
    assert line.hear(0.4, level_db=-30)


def test_for_a_voice_that_is_half_as_far_it_ducks_at_most() -> None:
    """Somebody else in the room, whose level wanders."""
    line = Line()
    line.caller_speaks(-25)
    for level in (-37, -38, -34, -39):
        line.hear(0.5, level_db=level)
        assert line.posture is not Posture.IS_SILENT


def test_soft_syllables_are_no_end_of_a_voice() -> None:
    """How near it is goes by its power, not by each of its sounds."""
    line = Line()
    line.caller_speaks(-25)
    for _ in range(4):
        line.hear(2 * STEP, level_db=-25)
        line.hear(2 * STEP, level_db=-45)
    assert line.posture is Posture.IS_SILENT


def test_a_voice_for_which_it_was_silent_silences_it_at_once_when_it_goes_on() -> None:
    line = Line()
    line.hear(0.5)
    line.hear(0.3, SILENCE)
    assert line.posture is Posture.DUCKS
    line.hear(STEP)
    assert line.posture is Posture.IS_SILENT


def test_turns_of_the_caller_cost_no_trust_however_many_pauses_they_have() -> None:
    """The agent is silent then, and so falls silent for nothing that is said in them."""
    line = Line()
    for _ in range(MOST_WORDLESS):
        line.caller_speaks(-25)
    line.hear(0.5, level_db=-25)
    assert line.posture is Posture.IS_SILENT


def test_it_does_not_speak_over_what_is_surely_the_caller_while_recognition_is_late() -> None:
    line = Line()
    line.caller_speaks(-25)
    assert line.hear(2.5, level_db=-28)
    assert line.posture is Posture.IS_SILENT
    assert not line.hear(60, level_db=-28)


def test_what_is_as_loud_as_the_caller_and_hardly_a_voice_is_not_waited_for() -> None:
    line = Line()
    line.caller_speaks(-25)
    assert not line.hear(2.5, UNSURE, level_db=-25)


@pytest.mark.parametrize("verdict", [Verdict.BACKCHANNEL, Verdict.ECHO])
def test_a_backchannel_lets_it_go_on_at_once_though_the_voice_goes_on(verdict: Verdict) -> None:
    line = Line()
    assert line.hear(0.4)
    assert line.on_verdict(verdict) is Posture.SPEAKS
    line.on_verdict(None)
    assert not line.hear(1)
    line.hear(0.5, SILENCE)
    assert line.hear(0.4)


@pytest.mark.parametrize(
    ("verdict", "posture"),
    [
        (Verdict.MAYBE_MISHEARD, Posture.IS_SILENT),
        (Verdict.INTERRUPTION, Posture.IS_SILENT),
        (Verdict.NEED_MORE, Posture.DUCKS),
    ],
)
def test_words_decide_how_it_waits_for_the_rest_of_them(verdict: Verdict, posture: Posture) -> None:
    """A word stops it; what may become a backchannel does not."""
    line = Line()
    line.hear(0.2, UNSURE)
    assert line.on_verdict(verdict) is posture
    line.hear(2, SILENCE)
    assert line.posture is posture
    assert line.on_verdict(None) is Posture.SPEAKS


def coughs(line: Line, times: int) -> None:
    """Long ones, for which it falls silent."""
    for _ in range(times):
        line.hear(0.6, UNSURE)
        line.hear(1, SILENCE)


def test_after_several_voices_without_a_word_it_yields_to_none_for_a_while() -> None:
    """A fit of coughing, or the agent's own voice, which stops when the agent does."""
    line = Line()
    coughs(line, MOST_WORDLESS)
    before = line.yielded_seconds
    coughs(line, 5)
    assert line.yielded_seconds == before
    line.hear(DISTRUST_SECONDS, SILENCE)
    assert line.hear(0.4)


def test_a_voice_that_brought_words_is_trusted() -> None:
    line = Line()
    for _ in range(3 * MOST_WORDLESS):
        assert line.hear(0.6)
        line.on_verdict(Verdict.BACKCHANNEL)
        line.hear(1, SILENCE)
        line.on_verdict(None)


def test_words_that_come_late_restore_the_trust() -> None:
    line = Line()
    for _ in range(2 * MOST_WORDLESS):
        coughs(line, MOST_WORDLESS - 1)
        line.on_verdict(Verdict.BACKCHANNEL)
        line.on_verdict(None)
        line.hear(STEP, SILENCE)
    assert line.hear(0.4)


def test_words_make_it_silent_even_while_it_yields_to_no_voice() -> None:
    line = Line()
    coughs(line, MOST_WORDLESS)
    assert line.on_verdict(Verdict.MAYBE_MISHEARD) is Posture.IS_SILENT


def test_short_sounds_for_which_it_only_ducks_cost_no_trust() -> None:
    line = Line()
    for _ in range(3 * MOST_WORDLESS):
        assert line.hear(0.2, UNSURE)
        line.hear(1, SILENCE)
