"""The benchmark of answers holds its calls in a room as well: ours, and the stock plugin's."""

from workbench.bench.latency.contestants import CONTESTANTS, STOCK
from workbench.bench.latency.dialogue import DIALOGUE
from workbench.bench.latency.providers import Delays
from workbench.bench.latency.room import measure_in_room


async def test_ours_and_stock_answer_the_same_line() -> None:
    rivals = (CONTESTANTS[0], STOCK)
    found = await measure_in_room(rivals, DIALOGUE[:1], Delays(), slot_seconds=3.0)
    assert list(found) == [each.name for each in rivals]
    for summary in found.values():
        [result] = summary.results
        assert result.marks is not None
        assert result.marks.llm_asked is not None
        assert result.llm_requests >= 1
