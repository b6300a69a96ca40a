"""WAV and raw PCM in pieces, however they are cut."""

import struct

import numpy as np
import pytest

from stt_assemblyai.cli.wav import Layout, PcmReader, UnreadableError, wav_layout

SOUND = np.arange(320, dtype="<i2").tobytes()
KNOWN = Layout(16_000, 1, len(SOUND))


def chunk(name: bytes, content: bytes) -> bytes:
    return name + struct.pack("<I", len(content)) + content


def form(*, kind: int = 1, channels: int = 1, bits: int = 16) -> bytes:
    return struct.pack("<HHIIHH", kind, channels, 16_000, 32_000, 2, bits)


def wav(*chunks: bytes) -> bytes:
    return b"RIFF\0\0\0\0WAVE" + b"".join(chunks)


@pytest.mark.parametrize("size", [1, 2, 3, 7, 44, 1000])
@pytest.mark.parametrize("junk", [b"", b"12345678", b"odd"])
def test_wav_may_come_in_pieces_of_any_size(size: int, junk: bytes) -> None:
    list_chunk = chunk(b"LIST", junk) + bytes(len(junk) % 2)
    data = wav(list_chunk, chunk(b"fmt ", form()), chunk(b"data", SOUND), b"LIST of no sound")
    reader = PcmReader(Layout())
    heard = b"".join(reader.feed(data[at : at + size]) for at in range(0, len(data), size))
    assert heard == SOUND
    assert reader.layout == KNOWN
    assert reader.complete
    reader.finish()


def test_what_a_pipe_writes_for_an_unknown_length_is_read_to_its_end() -> None:
    head = wav(chunk(b"fmt ", form()), b"data\xff\xff\xff\xff")
    reader = PcmReader(Layout())
    assert reader.feed(head + SOUND) == SOUND
    assert not reader.complete


@pytest.mark.parametrize("given", [b"", b"RIFF", wav(chunk(b"fmt ", form()))])
def test_input_that_ends_before_its_sound_is_refused(given: bytes) -> None:
    reader = PcmReader(Layout())
    assert reader.feed(given) == b""
    assert not reader.complete
    with pytest.raises(UnreadableError, match="ends before its sound begins"):
        reader.finish()


@pytest.mark.parametrize("size", [1, 7, 1000])
@pytest.mark.parametrize("text", ["hello\n", "Guten Tag, ", "\u4f60\u597d\uff0c"])
def test_text_is_refused_however_it_comes(text: str, size: int) -> None:
    reader = PcmReader(Layout())
    data = (text * 20).encode()[:-1]
    pieces = [data[at : at + size] for at in range(0, len(data), size)]
    with pytest.raises(UnreadableError, match="is text, not sound"):
        [*map(reader.feed, pieces)]
    short = PcmReader(Layout())
    assert short.feed(text.encode()) == b""
    with pytest.raises(UnreadableError, match="is text, not sound"):
        short.finish()


def test_sound_may_begin_as_text_does() -> None:
    pcm = b"quiet as a mouse" * 2 + bytes(100)
    reader = PcmReader(Layout())
    assert reader.feed(pcm[:20]) + reader.feed(pcm[20:]) == pcm


@pytest.mark.parametrize("begin", [b"ID3", b"OggS", b"fLaC", b"\0\0\0\x20ftypM4A "])
def test_other_containers_are_refused_with_what_to_do(begin: bytes) -> None:
    with pytest.raises(UnreadableError, match="ffmpeg"):
        PcmReader(Layout()).feed(begin + bytes(100))


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (form(kind=7), "other than 16 bit PCM"),
        (form(bits=24), "other than 16 bit PCM"),
        (form(channels=0), "other than 16 bit PCM"),
        (form()[:10], "damaged"),
    ],
)
def test_wav_of_another_kind_is_refused(content: bytes, says: str) -> None:
    with pytest.raises(UnreadableError, match=says):
        wav_layout(wav(chunk(b"fmt ", content), b"data\0\0\0\0"))


@pytest.mark.parametrize("size", [1, 3, 5, 64])
def test_raw_channels_are_mixed_whatever_the_pieces(size: int) -> None:
    stereo = np.array([[100, 300], [-500, 100], [7, 9]] * 10, "<i2").tobytes()
    reader = PcmReader(Layout(channels=2))
    heard = [reader.feed(stereo[at : at + size]) for at in range(0, len(stereo), size)]
    assert b"".join(heard) == np.array([200, -200, 8] * 10, "<i2").tobytes()


def test_extensible_wav_is_pcm_as_well() -> None:
    chunk = struct.pack("<HHIIHHHHIH14x", 0xFFFE, 2, 48_000, 192_000, 4, 16, 22, 16, 3, 1)
    head = b"RIFF\0\0\0\0WAVEfmt " + struct.pack("<I", len(chunk)) + chunk + b"data" + b"\0" * 4
    assert wav_layout(head) == (Layout(48_000, 2, None), len(head))


def test_a_head_that_names_no_format_is_refused() -> None:
    with pytest.raises(UnreadableError, match="does not say"):
        wav_layout(b"RIFF\0\0\0\0WAVEdata\0\0\0\0")
