"""From the bytes a client sends to what the engines hear: mono float32 at 16 kHz."""

import av
import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.float32]
ENGINE_RATE_HZ = 16_000


class SoundReader:
    """One stream of PCM or mu-law; it keeps what the resampler has not given out yet."""

    def __init__(self, encoding: str, sample_rate_hz: int) -> None:
        self._encoding = encoding
        self._sample_rate_hz = sample_rate_hz
        self._rest = b""
        self._resampler = (
            None
            if sample_rate_hz == ENGINE_RATE_HZ
            else av.AudioResampler(format="s16", layout="mono", rate=ENGINE_RATE_HZ)
        )

    def read(self, data: bytes) -> Samples:
        """The samples that this piece completes, -1 to 1."""
        pcm = self._linear(data)
        if self._resampler is not None and pcm.size:
            frame = av.AudioFrame.from_ndarray(pcm.reshape(1, -1), format="s16", layout="mono")
            frame.sample_rate = self._sample_rate_hz
            parts = [each.to_ndarray().reshape(-1) for each in self._resampler.resample(frame)]
            pcm = np.concatenate(parts) if parts else np.zeros(0, np.int16)
        return (pcm / 32768).astype(np.float32)

    def _linear(self, data: bytes) -> npt.NDArray[np.int16]:
        if self._encoding == "pcm_mulaw":
            return expand_mulaw(np.frombuffer(data, np.uint8))
        data = self._rest + data
        whole = len(data) // 2 * 2
        self._rest = data[whole:]
        return np.frombuffer(data[:whole], "<i2").astype(np.int16)


def expand_mulaw(data: npt.NDArray[np.uint8]) -> npt.NDArray[np.int16]:
    """G.711: inverted bits of sign, exponent and mantissa."""
    bits = ~data
    exponent = (bits >> 4) & 7
    mantissa = (bits & 15).astype(np.int32)
    size = (((mantissa << 3) + 132) << exponent) - 132
    return np.where(bits & 128, -size, size).astype(np.int16)
