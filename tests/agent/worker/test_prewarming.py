"""What a job process is like when its call comes."""

import gc
import io
import logging
from types import SimpleNamespace
from typing import Any, cast

import pytest

from agent.call.reports import into_nothing
from agent.worker.prewarming import prewarm
from config.load import load_settings

KEYS = {
    "livekit": {"url": "ws://127.0.0.1", "api_key": "APIkey", "api_secret": "a-livekit-secret"},
    "assemblyai": {"api_key": "an-assemblyai-key"},
    "openai": {"api_key": "an-openai-key"},
}


@pytest.mark.usefixtures("_restored_logging")
def test_what_is_prepared_before_a_call_is_never_searched_for_garbage_in_it() -> None:
    process = SimpleNamespace(userdata={})
    try:
        prewarm(
            load_settings(None, given=KEYS), lambda _: "parts", into_nothing, cast("Any", process)
        )
        assert (process.userdata["parts"], process.userdata["report"]) == ("parts", into_nothing)
        assert gc.get_freeze_count() > 10_000
    finally:
        gc.unfreeze()


@pytest.mark.usefixtures("_restored_logging")
def test_a_jobs_process_sends_no_secret_to_the_log() -> None:
    """There LiveKit logs what providers answer, with its stacks."""
    stream = io.StringIO()
    logging.getLogger().addHandler(logging.StreamHandler(stream))
    process = SimpleNamespace(userdata={})
    try:
        prewarm(
            load_settings(None, given=KEYS), lambda _: "parts", into_nothing, cast("Any", process)
        )
    finally:
        gc.unfreeze()
    logging.getLogger("livekit.agents").error(
        "failed: %s", "an-openai-key", exc_info=ValueError("a-livekit-secret")
    )
    assert "failed: ********" in stream.getvalue()
    assert "ValueError: ********" in stream.getvalue()
