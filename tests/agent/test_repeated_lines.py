"""A warning that comes several times a second is told once in ten seconds."""

import logging
from typing import Any

from agent.repeated_lines import SECONDS, OnceInAWhile


class Log:
    """Lines that come to one filter."""

    def __init__(self, but: str = "") -> None:
        self._filter = OnceInAWhile(but)

    def tells(self, text: str, *args: object, at: float = 0.0, **fields: Any) -> Any:
        """The line if it is let through, else None."""
        fields = {"name": "livekit.agents", "levelno": logging.WARNING} | fields
        record = logging.makeLogRecord({"msg": text, "args": args, "created": at, **fields})
        return record if self._filter.filter(record) else None


def test_a_warning_is_told_again_after_a_while_with_how_often_it_came() -> None:
    log = Log()
    told = [log.tells("slow", at=0.25 * each) for each in range(50)]
    assert [each.created for each in told if each] == [0.0, SECONDS]
    assert not hasattr(told[0], "repeated")
    assert told[40].repeated == 39


def test_a_warning_that_came_once_tells_nothing_of_repetitions() -> None:
    log = Log()
    log.tells("slow", at=0.0)
    assert not hasattr(log.tells("slow", at=SECONDS), "repeated")


def test_numbers_make_no_difference() -> None:
    log = Log()
    assert log.tells("took %.1f s", 0.5, delay=0.2)
    assert not log.tells("took %.1f s", 0.7, delay=0.3)
    assert log.tells("waited for 17 s")
    assert not log.tells("waited for 18.5 s")


def test_another_text_call_logger_level_or_error_is_another_line() -> None:
    log = Log()
    assert log.tells("late", room="first")
    assert log.tells("late", room="second")
    assert log.tells("slow", room="first")
    assert log.tells("late", room="first", name="agent")
    assert log.tells("late", room="first", levelno=logging.ERROR)
    assert log.tells("late", room="first", exc_info=(ValueError, ValueError(), None))
    assert log.tells("late", room="first", exc_info=(KeyError, KeyError(), None))
    assert log.tells("%s failed", "this")
    assert log.tells("%s failed", "that")
    assert log.tells("%(a)s failed", args={"a": 1})
    assert not log.tells("late", room="first")


def test_lines_that_warn_of_nothing_are_all_told() -> None:
    log = Log()
    assert all(log.tells("said", levelno=logging.INFO) for _ in range(3))


def test_lines_that_somebody_else_counts_are_all_told() -> None:
    log = Log(but="no server")
    assert all(log.tells("no server yet") for _ in range(3))


def test_a_clock_that_is_set_back_silences_nothing() -> None:
    log = Log()
    log.tells("slow", at=1000.0)
    assert log.tells("slow", at=10.0)


def test_what_is_known_stays_small_whatever_is_logged() -> None:
    log = Log()
    for each in range(2000):
        assert log.tells("late", room=f"room {each}", at=each / 1000)
    assert len(log._filter._told) <= 500
    for each in range(600):
        assert log.tells("late", room=f"room {each}", at=100.0 + 20.0 * (each > 400))
    assert not log.tells("late", room="room 599", at=121.0)
    assert len(log._filter._told) < 500
