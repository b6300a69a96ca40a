"""One audio clock runs through replays, gaps and silence that was never in the stream."""

from hypothesis import given
from hypothesis import strategies as st

from stt_assemblyai.clock import AudioClock


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
