"""What a turn is recorded as: conversations are in test_collector."""

from agent.call.turn_record.drafts import ReplyDraft, SpeechEnd, TurnDraft
from agent.records.schema import Attempt, CallersPart, Interruption, Reply, Turn


def test_of_a_turn_of_which_nothing_is_known_nothing_is_told() -> None:
    assert TurnDraft("prompt", index=3).finished() == Turn(index=3, origin="prompt")
    assert TurnDraft("prompt").first_sound_ms is None


def test_a_typed_turn_was_ended_by_its_caller() -> None:
    draft = TurnDraft("caller", index=1, is_typed=True, end=SpeechEnd(reason="vad"))
    assert draft.finished().caller_part == CallersPart(end_reason="typed")


def test_a_reply_has_words_only_if_it_was_heard() -> None:
    unheard = ReplyDraft(text="At seven.")
    unheard.end(900, is_interrupted=True)
    assert unheard.finished(0) == Reply(ended_ms=900)


def test_a_voice_that_stops_once_and_does_not_go_on_is_one_interruption() -> None:
    reply = ReplyDraft()
    reply.reach("first_sound_ms", 100)
    reply.stop_talking(500)
    reply.stop_talking(600)
    reply.go_on(700)
    reply.go_on(800)
    reply.stop_talking(900)
    reply.take(950, "typed", [])
    reply.take(960, "words", [])
    reply.end(1000, is_interrupted=True)
    reply.end(1100, is_interrupted=False)
    assert reply.finished(0).interruptions == [
        Interruption(at_ms=500, by="voice", outcome="false", resumed_ms=700),
        Interruption(at_ms=900, by="typed", outcome="true"),
    ]


def test_usage_adds_up() -> None:
    reply = ReplyDraft()
    reply.add_usage(prompt_tokens=3)
    reply.add_usage(prompt_tokens=4, completion_tokens=1)
    assert (reply.finished(2).prompt_tokens, reply.finished(2).completion_tokens) == (7, 1)
    assert (reply.finished(2).preemptive, reply.finished(2).preemptive_wasted) == ("thrown_away", 2)


def test_a_turn_whose_reply_was_heard_knows_when() -> None:
    reply = ReplyDraft()
    reply.reach("first_sound_ms", 100)
    assert TurnDraft("caller", reply=reply).first_sound_ms == 100


def test_of_several_requests_the_first_answer_counts_and_every_failure() -> None:
    reply = ReplyDraft()
    failed = Attempt(provider="a/b", took_for_ms=1, error="timeout")
    first = Attempt(provider="c/d", took_for_ms=2)
    for attempt in (failed, first, Attempt(provider="c/d", took_for_ms=3), failed):
        reply.attempt("tts", attempt)
    reply.hear("At seven.")
    reply.hear("Bye.")
    assert reply.text == "At seven. Bye."
    assert (reply.finished(0).tts, reply.finished(0).llm) == ([failed, first, failed], [])


def test_the_last_word_was_final_no_later_than_the_end_was_decided() -> None:
    draft = TurnDraft("caller")
    draft.end_at(SpeechEnd(decided_ms=900))
    assert draft.finished().caller_part == CallersPart(decided_ms=900)
    draft.last_word_final_ms = 905
    draft.end_at(SpeechEnd(decided_ms=900))
    assert draft.finished().caller_part.last_word_final_ms == 900
    draft.end_at(SpeechEnd())
    assert draft.finished().caller_part.last_word_final_ms == 900
