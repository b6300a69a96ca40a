"""A short run of the fuzzer; `make fuzz` is the long one."""

from workbench.bench.fuzz import mapper, stream, words
from workbench.bench.fuzz.__main__ import fuzz


def test_mutated_messages_bring_out_nothing_but_balanced_events() -> None:
    assert fuzz(mapper.play, 700, seed=20_261_122) == 0


def test_a_hostile_service_ends_no_stream_but_by_an_error_of_its_own() -> None:
    assert fuzz(stream.play, 300, seed=20_261_127) == 0


def test_each_word_is_said_once_whatever_breaks() -> None:
    assert fuzz(words.play, 30, seed=20_261_127) == 0
