"""What a telephone line does to a voice: 8 kHz, mu-law (ITU-T G.711), and packets that are lost."""

import random

import numpy as np
import numpy.typing as npt

from agent.caller.microphone import SAMPLE_RATE
from agent.caller.resampling import resampled
from agent.caller.timeline import Samples

__all__ = ["LOSS", "PACKET_SAMPLES", "in_band", "mulaw", "over_the_phone", "telephone", "with_loss"]

RATE = 8000
BAND_HZ = (300, 3400)
PACKET_SAMPLES = RATE * 20 // 1000
LOSS = 0.03
"""Of all packets."""
_IN_A_ROW = 0.4
"""How probable it is that the packet behind a lost one is lost, too."""
_MU = 255.0
_CONCEALED = (0.7, 0.35)
"""How loud the last packet is repeated in place of the first and the second lost one."""


def over_the_phone(sound: Samples, chance: random.Random) -> Samples:
    """Mono 48 kHz sound as a caller's telephone sends it: the band, then the line."""
    return telephone(in_band(sound, SAMPLE_RATE), chance)


def in_band(sound: Samples, rate: int) -> Samples:
    """Only what lies in the band of a telephone, 300 to 3400 Hz; the same length."""
    spectrum = np.fft.rfft(sound.astype(np.float64))
    frequencies = np.fft.rfftfreq(sound.size, 1 / rate)
    spectrum[(frequencies < BAND_HZ[0]) | (frequencies > BAND_HZ[1])] = 0
    return np.clip(np.rint(np.fft.irfft(spectrum, sound.size)), -32768, 32767).astype(np.int16)


def telephone(sound: Samples, chance: random.Random) -> Samples:
    """Mono 48 kHz sound as it comes out of a telephone line: the same length, 48 kHz."""
    narrow = with_loss(mulaw(resampled(sound, SAMPLE_RATE, RATE)), chance)
    wide = resampled(narrow, RATE, SAMPLE_RATE)
    out = np.zeros(sound.size, np.int16)
    out[: min(wide.size, sound.size)] = wide[: sound.size]
    return out


def mulaw(sound: Samples) -> Samples:
    """Compressed to 8 bits a sample, and expanded again."""
    scaled = sound.astype(np.float64) / 32768
    compressed = np.sign(scaled) * np.log1p(_MU * np.abs(scaled)) / np.log1p(_MU)
    steps = np.round(compressed * 127) / 127
    expanded: npt.NDArray[np.float64] = np.sign(steps) * np.expm1(np.abs(steps) * np.log1p(_MU))
    return (expanded / _MU * 32767).astype(np.int16)


def with_loss(sound: Samples, chance: random.Random, loss: float = LOSS) -> Samples:
    """8 kHz sound without some of its 20 ms packets: the last one is heard again, then silence."""
    heard = sound.copy()
    # A row of lost packets has 1 / (1 - _IN_A_ROW) of them; so often must a row begin.
    begins = loss * (1 - _IN_A_ROW)
    missing = 0
    for start in range(PACKET_SAMPLES, sound.size - PACKET_SAMPLES + 1, PACKET_SAMPLES):
        is_lost = chance.random() < (_IN_A_ROW if missing else begins)
        missing = missing + 1 if is_lost else 0
        if is_lost:
            level = _CONCEALED[missing - 1] if missing <= len(_CONCEALED) else 0.0
            last = sound[start - missing * PACKET_SAMPLES :][:PACKET_SAMPLES]
            heard[start : start + PACKET_SAMPLES] = (last * level).astype(np.int16)
    return heard
