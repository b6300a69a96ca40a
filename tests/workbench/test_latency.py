"""The benchmark of answers: what is said, how turns are read, and that a short one runs."""

from itertools import pairwise

import pytest

from workbench.bench.latency.contestants import CONTESTANTS, STOCK
from workbench.bench.latency.dialogue import DIALOGUE, Line, say
from workbench.bench.latency.measurement import Summary, Turn, read
from workbench.bench.latency.process import measure_in_process
from workbench.bench.latency.providers import Delays, Providers
from workbench.bench.latency.report import rows
from workbench.standins.openai_v1.exchange import RequestRecord

HELLO = Line(("Hello.",))
ASK = {"messages": [{"role": "user", "content": "four words of prompt"}]}


def test_every_word_of_a_line_lies_within_its_sound() -> None:
    for line in DIALOGUE:
        said = say(line)
        assert [word.text for word in said.cue.words] == line.text.split()
        assert 0 < said.end_seconds <= said.samples.size / 48_000
        gaps = [b.start_ms - a.end_ms for a, b in pairwise(said.cue.words)]
        assert max(gaps, default=0) >= line.pause_seconds * 1000


def test_only_the_end_of_a_line_may_end_the_turn() -> None:
    for line in DIALOGUE:
        *others, last = say(line).cue.words
        assert last.end_of_turn_confidence > 0.7
        assert all(word.end_of_turn_confidence < 0.7 for word in others) or not line.pauses


def test_a_breath_is_too_short_to_end_a_turn() -> None:
    for line in DIALOGUE:
        gaps = [after.start_ms - word.end_ms for word, after in pairwise(say(line).cue.words)]
        assert line.pauses or max(gaps, default=0) < 160


def request(endpoint: str, at: float) -> RequestRecord:
    return RequestRecord(endpoint, ASK, began_at=at, first_byte_at=at + 0.3, pieces_sent=6)


def test_a_reply_is_measured_from_the_end_of_speech() -> None:
    providers = Providers((), Delays())
    providers.llm.requests = [request("chat", 12.2), request("speech", 12.6)]
    [result] = read([Turn(HELLO, 11.0, 12.0)], [12.75], providers)
    assert result.marks is not None
    assert result.marks.reply == pytest.approx(750)
    assert result.marks.llm_asked == pytest.approx(200)
    assert result.marks.tts_sound is None  # it came after the reply: it cannot have mattered
    assert (result.llm_requests, result.wasted_tokens, result.cut_in) == (1, 0, False)


def test_all_requests_of_a_turn_but_the_last_are_wasted() -> None:
    providers = Providers((), Delays())
    providers.llm.requests = [request("chat", 11.5), request("chat", 12.2), request("chat", 20.5)]
    first, second = read([Turn(HELLO, 11, 12), Turn(HELLO, 20, 21)], [12.75], providers)
    assert (first.llm_requests, first.tokens, first.wasted_tokens) == (2, 20, 10)
    assert second.marks is None
    assert second.wasted_tokens == second.tokens == 10


def test_a_reply_before_the_end_of_speech_is_no_answer() -> None:
    [result] = read([Turn(HELLO, 11, 12)], [11.6], Providers((), Delays()))
    assert result.cut_in
    assert result.marks is None


@pytest.mark.slow
async def test_every_contestant_answers_in_one_process() -> None:
    lines = (DIALOGUE[0], DIALOGUE[4])
    summaries = await measure_in_process(CONTESTANTS, lines, Delays(), slot_seconds=2.0)
    assert list(summaries) == [each.name for each in CONTESTANTS]
    for summary in summaries.values():
        assert summary.unanswered == 0
        for result in summary.results:
            assert result.marks is not None
            assert result.marks.llm_asked is not None
            assert result.llm_requests >= 1
    assert {len(row) for row in rows(summaries, STOCK.name)} == {1 + len(CONTESTANTS)}
    assert isinstance(summaries[STOCK.name], Summary)
