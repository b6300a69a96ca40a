"""A client's frames are what the WebSocket library's own server reads, with a new mask each."""

import os

import pytest
from websockets.frames import Frame, Opcode, apply_mask  # type: ignore[attr-defined]
from websockets.protocol import SERVER, Protocol

from stt_assemblyai.framing import MaskedFrames


def read(frame: bytes) -> tuple[Opcode, bytes]:
    server = Protocol(SERVER)
    server.receive_data(frame)
    (event,) = server.events_received()
    assert isinstance(event, Frame)
    return event.opcode, bytes(event.data)


@pytest.mark.parametrize("size", [0, 1, 125, 126, 1600, 65_535, 65_536, 200_001])
def test_audio_of_any_size_is_one_binary_frame(size: int) -> None:
    pcm = bytes(n % 251 for n in range(size))
    assert read(MaskedFrames(os.urandom, apply_mask).frame(pcm)) == (Opcode.BINARY, pcm)


def test_text_is_one_text_frame() -> None:
    assert read(MaskedFrames(os.urandom, apply_mask).frame("Grüße")) == (
        Opcode.TEXT,
        "Grüße".encode(),
    )


def test_each_frame_has_a_mask_of_its_own_and_randomness_is_asked_for_now_and_then() -> None:
    asked: list[int] = []

    def count(size: int) -> bytes:
        asked.append(size)
        first = 4096 * len(asked)
        return b"".join(n.to_bytes(4, "big") for n in range(first, first + size // 4))

    frames = MaskedFrames(count, apply_mask)
    masks = [frames.frame(b"\0\0\0\0")[2:6] for _ in range(600)]
    assert len(set(masks)) == 600
    assert len(asked) == 3
