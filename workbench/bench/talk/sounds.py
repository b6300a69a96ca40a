"""Sounds that are no words to the agent, made from a seed: mono, 48 kHz, 16 bits."""

import random
from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt

from agent.caller.microphone import SAMPLE_RATE
from agent.caller.timeline import Samples

__all__ = ["NOISES", "TICS", "at_level", "far_away", "made", "other_voice"]

Wave = npt.NDArray[np.float64]
Maker = Callable[[np.random.Generator], Wave]


def made(maker: Maker, chance: random.Random, peak: float) -> Samples:
    """One such sound, as loud as asked."""
    return at_level(maker(np.random.default_rng(chance.getrandbits(32))), peak)


def at_level(wave: Wave | Samples, peak: float) -> Samples:
    """The same sound with its loudest sample at `peak`, 0 to 1."""
    loudest = max(float(np.abs(wave).max(initial=0.0)), 1e-9)
    scaled: Samples = (wave.astype(np.float64) * (peak * 32767 / loudest)).astype(np.int16)
    return scaled


def other_voice(voice: Samples, factor: float) -> Samples:
    """Somebody else: all of the voice's pitches are higher by `factor`, and it speaks faster."""
    places = np.arange(0, voice.size - 1, factor)
    other: Samples = np.interp(places, np.arange(voice.size), voice).astype(np.int16)
    return other


def far_away(voice: Samples, peak: float, cutoff_hz: float = 1200.0) -> Samples:
    """Somebody who speaks away from the microphone: dull, and as soft as `peak`."""
    return at_level(_filtered(voice.astype(np.float64), 80.0, cutoff_hz), peak)


def _filtered(wave: Wave, low_hz: float, high_hz: float) -> Wave:
    spectrum = np.fft.rfft(wave)
    frequencies = np.fft.rfftfreq(wave.size, 1 / SAMPLE_RATE)
    low = 1 / (1 + (low_hz / np.maximum(frequencies, 1e-3)) ** 4)
    high = 1 / (1 + (frequencies / high_hz) ** 4)
    return np.fft.irfft(spectrum * low * high, wave.size)


def _noise(chance: np.random.Generator, seconds: float, low_hz: float, high_hz: float) -> Wave:
    return _filtered(chance.standard_normal(round(seconds * SAMPLE_RATE)), low_hz, high_hz)


def _falling(size: int, rise_seconds: float, fall_seconds: float) -> Wave:
    times = np.arange(size) / SAMPLE_RATE
    return np.minimum(times / rise_seconds, 1.0) * np.exp(-times / fall_seconds)


def _row(pieces: list[Wave], gaps: list[float]) -> Wave:
    out: list[Wave] = []
    for piece, gap in zip(pieces, gaps, strict=True):
        out += [piece, np.zeros(round(gap * SAMPLE_RATE))]
    return np.concatenate(out[:-1])


def _cough(chance: np.random.Generator) -> Wave:
    """Two or three bursts of breath, each with a short voiced end as a throat makes it."""
    bursts = []
    for _ in range(int(chance.integers(2, 4))):
        size = round(chance.uniform(0.22, 0.35) * SAMPLE_RATE)
        breath = _noise(chance, size / SAMPLE_RATE, 300, chance.uniform(2500, 5000))[:size]
        times = np.arange(size) / SAMPLE_RATE
        pitch = chance.uniform(110, 220) * np.exp(-2 * times)
        throat = np.sign(np.sin(2 * np.pi * np.cumsum(pitch) / SAMPLE_RATE)) * 0.3
        throat = _filtered(throat, 200, 1500)
        bursts.append((breath / np.abs(breath).max() + throat) * _falling(size, 0.006, 0.09))
    return _row(bursts, [float(chance.uniform(0.08, 0.2)) for _ in bursts])


def _sneeze(chance: np.random.Generator) -> Wave:
    draw = _noise(chance, 0.35, 800, 5000)
    draw = draw / np.abs(draw).max() * np.linspace(0.02, 0.25, draw.size)
    burst = _noise(chance, 0.5, 500, 7000)
    burst = burst / np.abs(burst).max() * _falling(burst.size, 0.01, 0.12)
    return _row([draw, burst], [0.05, 0.0])


def _sniffle(chance: np.random.Generator) -> Wave:
    sniffs = []
    for _ in range(int(chance.integers(2, 4))):
        sniff = _noise(chance, float(chance.uniform(0.15, 0.3)), 1500, 7000)
        sniffs.append(sniff / np.abs(sniff).max() * np.sin(np.linspace(0, np.pi, sniff.size)))
    return _row(sniffs, [float(chance.uniform(0.1, 0.25)) for _ in sniffs])


def _breath(chance: np.random.Generator) -> Wave:
    breath = _noise(chance, float(chance.uniform(0.6, 1.0)), 400, 3000)
    swell: Wave = np.sin(np.linspace(0, np.pi, breath.size)) ** 2
    return breath * swell


def _door(chance: np.random.Generator) -> Wave:
    slam = _noise(chance, 0.5, 40, 400)
    latch = _noise(chance, 0.06, 1500, 6000)
    slam = slam / np.abs(slam).max() * _falling(slam.size, 0.002, 0.08)
    latch = latch / np.abs(latch).max() * 0.3 * _falling(latch.size, 0.001, 0.01)
    return _row([latch, slam], [0.05, 0.0])


def _keyboard(chance: np.random.Generator) -> Wave:
    keys = []
    for _ in range(int(chance.integers(12, 20))):
        key = _noise(chance, 0.03, 800, 7000)
        keys.append(key / np.abs(key).max() * _falling(key.size, 0.001, 0.006))
    return _row(keys, [float(chance.uniform(0.05, 0.18)) for _ in keys])


def _hum(chance: np.random.Generator) -> Wave:
    """A motor near by: a low tone with its harmonics, and air."""
    seconds = float(chance.uniform(2.0, 3.0))
    times = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    base = float(chance.uniform(50, 120))
    tones = sum(np.sin(2 * np.pi * base * n * times) / n for n in range(1, 6))
    air = _noise(chance, seconds, 200, 3000)[: times.size]
    edge = np.minimum(1.0, np.minimum(times, seconds - times) / 0.3)
    return np.asarray((tones + 0.3 * air / np.abs(air).max()) * edge)


TICS: Mapping[str, Maker] = {
    "cough": _cough,
    "sneeze": _sneeze,
    "sniffle": _sniffle,
    "breath": _breath,
}
"""Of somebody who does not speak."""

NOISES: Mapping[str, Maker] = {"door": _door, "keyboard": _keyboard, "hum": _hum}
