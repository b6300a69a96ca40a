"""What is tried once in the main process, for all job processes."""

import pytest

from agent.worker.preparation import UnpreparedError, require_preparation


def test_a_worker_that_can_prepare_a_call_may_start() -> None:
    made: list[str] = []
    require_preparation(lambda: made.append("equipment"))
    assert made == ["equipment"]


def test_whatever_a_library_raises_becomes_one_line() -> None:
    def prepare() -> object:
        raise RuntimeError("no such module\n  as this")

    with pytest.raises(
        UnpreparedError, match=r"\(RuntimeError: no such module as this\)"
    ) as caught:
        require_preparation(prepare)
    assert "\n" not in str(caught.value)
