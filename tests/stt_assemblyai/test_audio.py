"""Audio is kept by position, leaves in chunks the service accepts, and as mu-law where asked."""

import math
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stt_assemblyai.audio import Tape, to_mono, to_mulaw

RATES = (8000, 11025, 16000, 22050, 24000, 44100, 48000, 96000)


def pcm(*samples: int) -> bytes:
    return struct.pack(f"<{len(samples)}h", *samples)


@pytest.mark.parametrize("rate", RATES)
def test_a_chunk_is_never_shorter_than_asked_nor_a_sample_longer(rate: int) -> None:
    samples = Tape(rate, chunk_ms=50).chunk_bytes // 2
    assert 0.05 <= samples / rate < 0.05 + 1 / rate


@pytest.mark.parametrize("chunk_ms", [0, 49, 1001])
def test_a_length_the_service_refuses_is_refused_first(chunk_ms: int) -> None:
    with pytest.raises(ValueError, match="the service takes 50 to 1000"):
        Tape(16000, chunk_ms=chunk_ms)


@given(
    pieces=st.lists(st.binary(max_size=5000), max_size=30),
    rate=st.sampled_from(RATES),
)
def test_chunks_and_tail_are_the_audio_whatever_the_pieces(pieces: list[bytes], rate: int) -> None:
    tape = Tape(rate)
    for piece in pieces:
        tape.append(piece)
    sent = bytearray()
    while (chunk := tape.chunk(len(sent))) is not None:
        assert len(chunk) == tape.chunk_bytes
        sent += chunk
    tail = tape.tail(len(sent))
    whole = b"".join(pieces)
    assert len(tail) < tape.chunk_bytes
    assert sent + tail == whole[: len(whole) // 2 * 2]


def test_what_is_left_over_waits_for_more() -> None:
    tape = Tape(8000)
    tape.append(bytes(799))
    assert tape.chunk(0) is None
    tape.append(bytes(1))
    assert tape.chunk(0) == bytes(800)


def test_a_full_tape_drops_the_oldest_audio_and_counts_it() -> None:
    tape = Tape(8000, keep_seconds=1)
    tape.append(bytes(16000))
    assert (tape.start, tape.dropped_ms) == (0, 0)
    tape.append(bytes(161))
    assert (tape.start, tape.end) == (162, 16161)
    assert tape.dropped_ms == 10


def test_a_piece_longer_than_the_tape_leaves_its_end() -> None:
    tape = Tape(8000, keep_seconds=1)
    tape.append(bytes(16000) + pcm(*range(8000)))
    assert tape.chunk(tape.start) == pcm(*range(400))


def test_the_audio_between_two_times_is_what_is_kept_of_it() -> None:
    tape = Tape(1000, keep_seconds=60)
    tape.append(pcm(*range(10)))
    assert tape.between(2, 5) == pcm(2, 3, 4)
    assert tape.between(8, 99) == pcm(8, 9)
    tape.release(tape.position(4))
    assert tape.between(2, 6) == pcm(4, 5)
    assert tape.between(1, 3) == tape.between(6, 5) == b""


def test_released_audio_is_forgotten_but_not_counted_as_dropped() -> None:
    tape = Tape(8000)
    tape.append(pcm(*range(2000)))
    tape.release(1000)
    tape.release(500)
    assert (tape.start, tape.dropped_ms) == (1000, 0)
    assert tape.chunk(1000) == pcm(*range(500, 900))
    tape.release(999_999)
    assert tape.start == tape.end == 4000


@given(rate=st.sampled_from(RATES), milliseconds=st.floats(0, 1e7))
def test_a_time_is_a_position_on_a_samples_edge(rate: int, milliseconds: float) -> None:
    tape = Tape(rate)
    position = tape.position(milliseconds)
    assert position % 2 == 0
    assert abs(tape.milliseconds(position) - milliseconds) <= 1 + 1000 / rate


def test_a_chunk_is_as_long_as_its_samples_so_that_hours_do_not_drift() -> None:
    tape = Tape(22050, chunk_ms=50)
    assert tape.milliseconds(tape.chunk_bytes * 72_000) == pytest.approx(3_601_632.65, abs=0.01)


def test_channels_are_mixed_by_their_mean() -> None:
    assert to_mono(pcm(100, 200, -32768, -32768), 2) == pcm(150, -32768)
    assert to_mono(memoryview(pcm(1, 2)), 1) == pcm(1, 2)


@pytest.mark.parametrize(
    ("sample", "code"),
    [
        (0, 0xFF),
        (-1, 0x7F),
        (32767, 0x80),
        (-32768, 0x00),
        (32635, 0x80),
        (1000, 0xCE),
        (-1000, 0x4E),
        (8, 0xFE),
        (132, 0xEF),
    ],
)
def test_mu_law_follows_g_711(sample: int, code: int) -> None:
    assert to_mulaw(pcm(sample)) == bytes([code])


def decode_mulaw(code: int) -> int:
    """The receiving side of G.711, written from its definition."""
    code = ~code & 0xFF
    magnitude = ((code & 0x0F) * 8 + 132 << (code >> 4 & 7)) - 132
    return -magnitude if code & 0x80 else magnitude


def test_every_sample_comes_back_within_mu_laws_error() -> None:
    codes = to_mulaw(pcm(*range(-32768, 32768)))
    for sample, code in zip(range(-32768, 32768), codes, strict=True):
        clipped = max(-32635, min(32635, sample))
        step = 8 * 2 ** max(0, math.floor(math.log2(abs(clipped) + 132)) - 7)
        assert abs(decode_mulaw(code) - clipped) <= step


def test_a_stretch_of_time_is_given_as_far_as_it_is_kept() -> None:
    tape = Tape(8000)
    tape.append(bytes(range(160)) * 10)  # 100 ms
    assert tape.between(10, 20) == bytes(range(160))
    assert tape.between(90, 500) == bytes(range(160))
    assert tape.between(50, 40) == b""
    tape.release(tape.position(50))
    assert tape.between(0, 60) == bytes(range(160))


def test_half_a_sample_is_left_until_its_other_half_comes() -> None:
    tape = Tape(8000)
    tape.append(b"\1\2\3")
    assert tape.tail(0) == tape.between(0, 50) == b"\1\2"
    tape.release(3)
    assert tape.start == 2
    tape.append(b"\4")
    assert tape.tail(2) == b"\3\4"


def test_a_chunk_that_was_forgotten_is_none() -> None:
    tape = Tape(8000)
    tape.append(bytes(4 * tape.chunk_bytes))
    tape.release(2 * tape.chunk_bytes)
    assert tape.chunk(0) is tape.chunk(tape.chunk_bytes) is None
    assert tape.chunk(2 * tape.chunk_bytes)


def test_what_was_pushed_in_halves_is_whole() -> None:
    tape = Tape(8000)
    for byte in b"\1\2\3\4":
        tape.append(bytes([byte]))
    assert tape.tail(0) == tape.between(0, 50) == b"\1\2\3\4"
