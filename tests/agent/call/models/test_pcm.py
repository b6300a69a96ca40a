"""Samples from whatever a voice sends."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.call.models.pcm import MediaType, NotSoundError, Samples, decoded_type
from workbench.bench.misbehaviour.replies import pcm, wav

PCM = MediaType.of("audio/pcm")
TONE = pcm(0.05)


@pytest.mark.parametrize(
    ("header", "rate", "channels"),
    [
        ("audio/pcm", 24_000, 1),
        ("audio/pcm;rate=16000", 16_000, 1),
        ('Audio/L16; Rate="8000" ; channels=2', 8000, 2),
        ("audio/pcm; rate=fast; channels=0", 24_000, 1),
        ("", 24_000, 1),
    ],
)
def test_a_content_type_tells_rate_and_channels(header: str, rate: int, channels: int) -> None:
    media = MediaType.of(header)
    assert (media.rate, media.channels) == (rate, channels)


@pytest.mark.parametrize(
    ("header", "head", "decoded"),
    [
        ("audio/pcm", TONE, None),
        ("application/octet-stream", b"ID3\4", "audio/mpeg"),
        ("audio/pcm", b"OggS", "audio/ogg"),
        ("audio/mpeg", b"\xff\xfb", "audio/mpeg"),
        ("audio/wav", wav(0.1), None),
        ("audio/pcm", bytes.fromhex("fff38400") + bytes(12), "audio/mpeg"),
        ("application/octet-stream", bytes.fromhex("fffb9064") + bytes(12), "audio/mpeg"),
        ("audio/pcm", bytes.fromhex("fffffeff") + bytes(12), None),
    ],
)
def test_what_it_is_by_its_first_bytes(header: str, head: bytes, decoded: str | None) -> None:
    assert decoded_type(MediaType.of(header), head) == decoded


@pytest.mark.parametrize(
    ("header", "head"),
    [
        ("text/html", b"\0\0"),
        ("application/problem+json", b"\0\0"),
        ("audio/pcm", b'{"error": {"mess'),
        ("audio/pcm", b"\r\n<!DOCTYPE html>"),
        ("audio/midi", b"MThd"),
        ("image/png", b"\x89PNG"),
    ],
)
def test_what_is_no_sound(header: str, head: bytes) -> None:
    with pytest.raises(NotSoundError):
        decoded_type(MediaType.of(header), head)


@given(
    st.sampled_from([TONE, wav(0.05), wav(0.05, size=0), wav(0.05, size=0xFFFFFFFF)]),
    st.lists(st.integers(0, 2500), max_size=9),
)
def test_samples_do_not_depend_on_the_pieces(data: bytes, cuts: list[int]) -> None:
    samples, at, out = Samples(PCM), 0, b""
    for cut in [*sorted(cuts), len(data)]:
        out += samples.push(data[at:cut])
        at = max(at, cut)
    assert out + samples.flush() == TONE


def test_two_channels_become_one() -> None:
    stereo = b"".join(TONE[at : at + 2] * 2 for at in range(0, len(TONE), 2))
    assert Samples(MediaType.of("audio/pcm;channels=2")).push(stereo) == TONE


@given(st.binary(max_size=200))
def test_a_broken_header_is_told(data: bytes) -> None:
    samples = Samples(PCM)
    with contextlib.suppress(NotSoundError):
        samples.push(b"RIFF" + data)
