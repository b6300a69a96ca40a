"""A telephone line: mu-law, and lost packets."""

import random

import numpy as np

from agent.caller.phone import PACKET_SAMPLES, mulaw, telephone, with_loss


def tone(seconds: float, rate: int, level: float = 0.5) -> np.ndarray:
    times = np.arange(round(seconds * rate)) / rate
    return (level * 32767 * np.sin(2 * np.pi * 440 * times)).astype(np.int16)


def test_mulaw_keeps_loud_and_soft_sound_within_a_fortieth_and_a_little() -> None:
    for level in (0.9, 0.1, 0.01):
        sound = tone(0.1, 8000, level)
        error = np.abs(mulaw(sound).astype(int) - sound).max()
        assert error <= 0.023 * level * 32767 + 3.5


def test_silence_stays_silence() -> None:
    assert not mulaw(np.zeros(800, np.int16)).any()


def test_so_many_packets_are_lost_as_asked_and_often_two_in_a_row() -> None:
    sound = np.arange(1, PACKET_SAMPLES * 20_000 + 1).astype(np.int16)
    heard = with_loss(sound, random.Random(1), 0.05)
    packets = (heard != sound).reshape(-1, PACKET_SAMPLES).any(axis=1)
    assert 0.045 < packets.mean() < 0.055
    rows = np.flatnonzero(packets[1:] & ~packets[:-1]).size
    assert 1.5 < packets.sum() / rows < 1.85


def test_the_first_lost_packet_repeats_the_last_one_softer() -> None:
    sound = np.repeat(np.arange(100, 5100), PACKET_SAMPLES).astype(np.int16)
    heard = with_loss(sound, random.Random(3)).reshape(-1, PACKET_SAMPLES)[:, 0]
    first = next(index for index in range(len(heard)) if heard[index] != 100 + index)
    assert heard[first] == int((100 + first - 1) * 0.7)


def test_the_same_seed_loses_the_same_packets() -> None:
    sound = tone(2, 48_000)
    one, two, other = (telephone(sound, random.Random(seed)).astype(int) for seed in (5, 5, 6))
    assert np.abs(one - two).max() < 8  # the resampler rounds by chance
    assert np.abs(one - other).max() > 1000
    assert one.size == sound.size
