"""Audio is kept by position, leaves in chunks the service accepts, and as mu-law where asked."""

import math
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stt_assemblyai.audio import AudioClock, ReplayBuffer, to_mono, to_mulaw

RATES = (8000, 11025, 16000, 22050, 24000, 44100, 48000, 96000)


def pcm(*samples: int) -> bytes:
    return struct.pack(f"<{len(samples)}h", *samples)


@pytest.mark.parametrize("rate", RATES)
def test_a_chunk_is_never_shorter_than_asked_nor_a_sample_longer(rate: int) -> None:
    samples = ReplayBuffer(rate, chunk_ms=50).chunk_bytes // 2
    assert 0.05 <= samples / rate < 0.05 + 1 / rate


@pytest.mark.parametrize("chunk_ms", [0, 49, 1001])
def test_a_length_the_service_refuses_is_refused_first(chunk_ms: int) -> None:
    with pytest.raises(ValueError, match="the service takes 50 to 1000"):
        ReplayBuffer(16000, chunk_ms=chunk_ms)


@given(
    pieces=st.lists(st.binary(max_size=5000), max_size=30),
    rate=st.sampled_from(RATES),
)
def test_chunks_and_tail_are_the_audio_whatever_the_pieces(pieces: list[bytes], rate: int) -> None:
    buffer = ReplayBuffer(rate)
    for piece in pieces:
        buffer.append(piece)
    sent = bytearray()
    while (chunk := buffer.chunk(len(sent))) is not None:
        assert len(chunk) == buffer.chunk_bytes
        sent += chunk
    tail = buffer.tail(len(sent))
    whole = b"".join(pieces)
    assert len(tail) < buffer.chunk_bytes
    assert sent + tail == whole[: len(whole) // 2 * 2]


def test_what_is_left_over_waits_for_more() -> None:
    buffer = ReplayBuffer(8000)
    buffer.append(bytes(799))
    assert buffer.chunk(0) is None
    buffer.append(bytes(1))
    assert buffer.chunk(0) == bytes(800)


def test_a_full_tape_drops_the_oldest_audio_and_counts_it() -> None:
    buffer = ReplayBuffer(8000, keep_seconds=1)
    buffer.append(bytes(16000))
    assert (buffer.start, buffer.dropped_ms) == (0, 0)
    buffer.append(bytes(161))
    assert (buffer.start, buffer.end) == (162, 16161)
    assert buffer.dropped_ms == 10


def test_a_piece_longer_than_the_tape_leaves_its_end() -> None:
    buffer = ReplayBuffer(8000, keep_seconds=1)
    buffer.append(bytes(16000) + pcm(*range(8000)))
    assert buffer.chunk(buffer.start) == pcm(*range(400))


def test_the_audio_between_two_times_is_what_is_kept_of_it() -> None:
    buffer = ReplayBuffer(1000, keep_seconds=60)
    buffer.append(pcm(*range(10)))
    assert buffer.between(2, 5) == pcm(2, 3, 4)
    assert buffer.between(8, 99) == pcm(8, 9)
    buffer.release(buffer.position(4))
    assert buffer.between(2, 6) == pcm(4, 5)
    assert buffer.between(1, 3) == buffer.between(6, 5) == b""


def test_released_audio_is_forgotten_but_not_counted_as_dropped() -> None:
    buffer = ReplayBuffer(8000)
    buffer.append(pcm(*range(2000)))
    buffer.release(1000)
    buffer.release(500)
    assert (buffer.start, buffer.dropped_ms) == (1000, 0)
    assert buffer.chunk(1000) == pcm(*range(500, 900))
    buffer.release(999_999)
    assert buffer.start == buffer.end == 4000


@given(rate=st.sampled_from(RATES), milliseconds=st.floats(0, 1e7))
def test_a_time_is_a_position_on_a_samples_edge(rate: int, milliseconds: float) -> None:
    buffer = ReplayBuffer(rate)
    position = buffer.position(milliseconds)
    assert position % 2 == 0
    assert abs(buffer.milliseconds(position) - milliseconds) <= 1 + 1000 / rate


def test_a_chunk_is_as_long_as_its_samples_so_that_hours_do_not_drift() -> None:
    buffer = ReplayBuffer(22050, chunk_ms=50)
    assert buffer.milliseconds(buffer.chunk_bytes * 72_000) == pytest.approx(3_601_632.65, abs=0.01)


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
    buffer = ReplayBuffer(8000)
    buffer.append(bytes(range(160)) * 10)  # 100 ms
    assert buffer.between(10, 20) == bytes(range(160))
    assert buffer.between(90, 500) == bytes(range(160))
    assert buffer.between(50, 40) == b""
    buffer.release(buffer.position(50))
    assert buffer.between(0, 60) == bytes(range(160))


def test_half_a_sample_is_left_until_its_other_half_comes() -> None:
    buffer = ReplayBuffer(8000)
    buffer.append(b"\1\2\3")
    assert buffer.tail(0) == buffer.between(0, 50) == b"\1\2"
    buffer.release(3)
    assert buffer.start == 2
    buffer.append(b"\4")
    assert buffer.tail(2) == b"\3\4"


def test_a_chunk_that_was_forgotten_is_none() -> None:
    buffer = ReplayBuffer(8000)
    buffer.append(bytes(4 * buffer.chunk_bytes))
    buffer.release(2 * buffer.chunk_bytes)
    assert buffer.chunk(0) is buffer.chunk(buffer.chunk_bytes) is None
    assert buffer.chunk(2 * buffer.chunk_bytes)


def test_what_was_pushed_in_halves_is_whole() -> None:
    buffer = ReplayBuffer(8000)
    for byte in b"\1\2\3\4":
        buffer.append(bytes([byte]))
    assert buffer.tail(0) == buffer.between(0, 50) == b"\1\2\3\4"


def test_a_first_session_counts_as_the_stream_does() -> None:
    clock = AudioClock()
    assert clock.to_stream(120) == 120
    clock.sent(0, 50)
    clock.sent(50, 50)
    assert clock.to_stream(75) == 75
    assert clock.session_ms == 100


def test_a_session_that_starts_with_a_replay_is_moved_to_where_it_started() -> None:
    clock = AudioClock()
    clock.sent(7000, 50)
    assert clock.to_stream(20) == 7020
    assert clock.to_stream(900) == 7900  # words may end after what was sent


def test_audio_that_was_left_out_moves_what_comes_after_it() -> None:
    clock = AudioClock()
    clock.sent(0, 100)
    clock.sent(5000, 100)
    assert [clock.to_stream(ms) for ms in (99, 100, 150)] == [99, 5000, 5050]


def test_the_streams_clock_stands_still_during_silence_that_is_not_its_own() -> None:
    clock = AudioClock()
    clock.sent_silence(50)
    clock.sent(0, 100)
    clock.sent_silence(50)
    clock.sent_silence(50)
    clock.sent(100, 100)
    assert [clock.to_stream(ms) for ms in (0, 50, 149, 150, 240, 250, 300)] == [
        0, 0, 99, 100, 100, 100, 150,
    ]  # fmt: skip


@given(st.lists(st.tuples(st.booleans(), st.integers(1, 200)), max_size=60))
def test_time_never_runs_backwards_within_a_session(steps: list[tuple[bool, int]]) -> None:
    clock, stream_ms = AudioClock(), 0
    for is_audio, duration_ms in steps:
        if is_audio:
            clock.sent(stream_ms, duration_ms)
            stream_ms += duration_ms
        else:
            clock.sent_silence(duration_ms)
    times = [clock.to_stream(ms) for ms in range(0, int(clock.session_ms), 7)]
    assert times == sorted(times)
    assert clock.to_stream(clock.session_ms) == stream_ms


def test_a_time_far_from_all_that_was_sent_gets_the_nearest_one() -> None:
    clock = AudioClock()
    clock.sent(7000, 1000)
    assert clock.to_stream(-60_000) == 7000
    assert 8000 <= clock.to_stream(2**53) <= 15_000
