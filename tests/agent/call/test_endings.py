"""How LiveKit's server learns that a job has not done its work."""

import contextvars
import multiprocessing
from collections.abc import Callable

import pytest

from agent.call.endings import count_as_failed, failures_here


def _nothing() -> None:
    pass


@pytest.mark.parametrize(("end", "code"), [(_nothing, 0), (count_as_failed, 1)])
def test_only_a_job_that_counts_as_failed_exits_with_an_error(
    end: Callable[[], None], code: int
) -> None:
    process = multiprocessing.get_context("spawn").Process(target=end)
    process.start()
    process.join(60)
    assert process.exitcode == code


def test_a_failed_job_that_shares_its_process_is_noted_in_its_own_context() -> None:
    def fail(times: int) -> int:
        failures = failures_here()
        for _ in range(times):
            count_as_failed()
        return len(failures)

    assert [contextvars.copy_context().run(fail, times) for times in (2, 0, 1)] == [2, 0, 1]
