"""What of LiveKit's private parts the adapter stands on, and which feature each of them carries."""

import inspect
import re
from typing import Any

import pytest
from livekit.agents import stt
from livekit.agents.stt.stt import RecognizeStream
from livekit.agents.voice import agent_activity, keyterm_detection

PARTS: list[tuple[Any, str, str]] = [
    (
        stt.STT,
        "_update_session_keyterms",
        "terms that a session detects would not reach AssemblyAI",
    ),
    (
        stt.STT,
        "_push_conversation_item",
        "AssemblyAI would not learn what the agent says (agent_context_carryover)",
    ),
    (
        RecognizeStream,
        "_event_aiter",
        "each event of the ears would wake two tasks more, or come to nobody",
    ),
    (RecognizeStream, "_event_ch", "no word of the ears would reach the session"),
    (RecognizeStream, "_input_ch", "audio could not be pushed: the agent would be deaf"),
    (
        RecognizeStream,
        "_check_input_not_ended",
        "audio behind the end of the input would be taken without a word",
    ),
    (
        RecognizeStream,
        "_check_not_closed",
        "audio pushed to a closed stream would be taken without a word",
    ),
    (
        RecognizeStream,
        "_task",
        "no stream could be made, and a stream could not be closed in order",
    ),
    (
        RecognizeStream,
        "_metrics_monitor_task",
        "LiveKit's metrics of the ears would be given every event, or none",
    ),
    (
        RecognizeStream,
        "_report_connection_acquired",
        "a stream would fail when its session opens",
    ),
]
CALLS = [
    (keyterm_detection, "_update_session_keyterms(self.keyterms)", PARTS[0][2]),
    (agent_activity, '"conversation_item_added", self.stt._push_conversation_item', PARTS[1][2]),
    (RecognizeStream, "self._metrics_monitor_task(", PARTS[8][2]),
    (RecognizeStream, "self._event_aiter.__anext__()", PARTS[2][2]),
]


def lacks(owner: Any, name: str) -> bool:
    """Whether neither the object nor, for what `self` is given, its source has the name."""
    source = inspect.getsource(owner)
    return not hasattr(owner, name) and not re.search(rf"\bself\.{name}\b", source)


@pytest.mark.parametrize(("owner", "name", "feature"), PARTS, ids=[name for _, name, _ in PARTS])
def test_livekit_has_the_part(owner: Any, name: str, feature: str) -> None:
    assert not lacks(owner, name), f"{owner.__name__} has no {name} any more: {feature}."


@pytest.mark.parametrize(("owner", "name", "_"), PARTS)
def test_a_part_that_is_renamed_is_noticed(owner: Any, name: str, _: str) -> None:
    assert lacks(owner, f"{name}_of_yesterday")


@pytest.mark.parametrize(("owner", "call", "feature"), CALLS, ids=[call for _, call, _ in CALLS])
def test_livekit_uses_what_is_overridden(owner: Any, call: str, feature: str) -> None:
    assert call in inspect.getsource(owner), f"LiveKit does not call {call!r} any more: {feature}."
