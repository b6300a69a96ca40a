"""What a job process is like when its call comes."""

import gc
from types import SimpleNamespace
from typing import Any, cast

from agent.worker.server import prewarm


def test_what_is_prepared_before_a_call_is_never_searched_for_garbage_in_it() -> None:
    process = SimpleNamespace(userdata={})
    try:
        prewarm(cast("Any", None), lambda _: "equipment", cast("Any", process))
        assert process.userdata == {"equipment": "equipment"}
        assert gc.get_freeze_count() > 10_000
    finally:
        gc.unfreeze()
