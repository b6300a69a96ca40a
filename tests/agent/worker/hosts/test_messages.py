"""What the worker and its processes say arrives as it was said."""

import pytest

from agent.worker.hosts.messages import (
    LONGEST_BYTES,
    CutOff,
    Ended,
    Late,
    Message,
    Open,
    Ready,
    packed,
    unpacked,
)


@pytest.mark.parametrize(
    "message", [Open(1), CutOff(2), Ready(), Ended(10**9, 1, is_clean=False), Late(1.5)]
)
def test_a_message_arrives_as_it_was_said(message: Message) -> None:
    datagram = packed(message)
    assert unpacked(datagram) == message
    assert len(datagram) < LONGEST_BYTES
