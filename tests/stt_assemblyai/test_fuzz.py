"""A short run of the fuzzer; `make fuzz` is the long one."""

from workbench.fuzz import fuzz


def test_mutated_messages_bring_out_nothing_but_balanced_events() -> None:
    assert fuzz(30_000, seed=20_261_122) == 0
