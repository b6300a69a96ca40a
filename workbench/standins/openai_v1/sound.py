"""Audio formats of `/v1/audio/speech`: sentences of samples in, bytes of a stream out."""

import struct
from typing import Protocol

import av
import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.float32]
SAMPLE_RATE_HZ = 24_000
UNKNOWN_LENGTH = 0xFFFF_FFFF


class Encoder(Protocol):
    """One answer's bytes: `head`, then each sentence, then `tail`."""

    content_type: str

    def head(self) -> bytes: ...
    def encode(self, samples: Samples) -> bytes: ...
    def tail(self) -> bytes: ...


class Pcm:
    """24 kHz, 16 bits, little-endian, mono."""

    content_type = "audio/pcm"

    def head(self) -> bytes:
        """PCM has none."""
        return b""

    def encode(self, samples: Samples) -> bytes:
        """-1 to 1 becomes -32767 to 32767."""
        return (samples * 32767).astype("<i2").tobytes()

    def tail(self) -> bytes:
        """PCM has none."""
        return b""


class Wav(Pcm):
    """PCM behind a header that, as it is sent first, does not know the length."""

    content_type = "audio/wav"

    def head(self) -> bytes:
        """44 bytes."""
        layout = struct.pack(
            "<4sIHHIIHH", b"fmt ", 16, 1, 1, SAMPLE_RATE_HZ, SAMPLE_RATE_HZ * 2, 2, 16
        )
        size = struct.pack("<I", UNKNOWN_LENGTH)
        return b"RIFF" + size + b"WAVE" + layout + b"data" + size


class Mp3:
    """What clients get that do not say what they want."""

    content_type = "audio/mpeg"

    def __init__(self) -> None:
        context = av.CodecContext.create("mp3", "w")
        assert isinstance(context, av.AudioCodecContext)
        context.sample_rate = SAMPLE_RATE_HZ
        context.layout = "mono"
        context.format = "s16p"
        context.bit_rate = 128_000
        self._context = context
        self._resampler = av.AudioResampler(format="s16p", layout="mono", rate=SAMPLE_RATE_HZ)

    def head(self) -> bytes:
        """Frames stand for themselves."""
        return b""

    def encode(self, samples: Samples) -> bytes:
        """As many whole frames as there are."""
        pcm = (samples * 32767).astype(np.int16).reshape(1, -1)
        frame = av.AudioFrame.from_ndarray(pcm, format="s16", layout="mono")
        frame.sample_rate = SAMPLE_RATE_HZ
        size = self._context.frame_size
        self._resampler_frame_size = size
        return b"".join(
            bytes(packet)
            for each in self._resampler.resample(frame)
            for packet in self._context.encode(each)
        )

    def tail(self) -> bytes:
        """What the codec still holds."""
        return b"".join(bytes(packet) for packet in self._context.encode(None))


ENCODERS: dict[str, type[Pcm] | type[Mp3]] = {"pcm": Pcm, "wav": Wav, "mp3": Mp3}
