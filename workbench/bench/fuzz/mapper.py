"""Hostile messages for protocol and mapper alone, in sessions that break off and resume."""

import math
import random

from stt_assemblyai.audio import AudioClock
from stt_assemblyai.endpointing import Endpointing
from stt_assemblyai.options import SessionOptions
from stt_assemblyai.protocol import Heard, Session
from stt_assemblyai.turns import TurnMapper
from workbench.bench.fuzz.balance import Balance
from workbench.bench.fuzz.messages import conversation, mutated, shuffled

__all__ = ["play"]

SESSION_MESSAGES = 60


def play(seed: int) -> int:
    """A stream of one to three sessions; gives the number of messages that were thrown."""
    draw = random.Random(seed)
    options = SessionOptions()
    mapper = TurnMapper(
        AudioClock(),
        Endpointing(
            wait_for_formatted_seconds=draw.choice([0, 0.3]),
            keep_reply=draw.random() < 0.5,
            by_confidence=draw.random() < 0.5,
            preflight_confidence=draw.choice([0, 0.4, math.inf]),
            pause_seconds=draw.choice([0.5, math.inf]),
            stuck_seconds=draw.choice([1, math.inf]),
        ),
    )
    balance, thrown, now = Balance(), 0, 0.0
    for _ in range(draw.randint(1, 3)):
        session = Session(options)
        for message in shuffled(list(conversation(draw)), draw)[:SESSION_MESSAGES]:
            now += draw.random() / 4
            thrown += 1
            event = session.receive(mutated(message, draw))
            if isinstance(event, Heard):
                balance.check(mapper.receive(event.message, now))
            balance.check(mapper.expire(now))
        session.receive_close(draw.choice([1000, 1006, 3005]), "")
        clock, from_ms = AudioClock(), mapper.needed_from_ms
        clock.sent(from_ms, 60_000)
        balance.check(mapper.resume(clock, from_ms))
        if draw.random() < 0.2:
            balance.check(mapper.give_up_carried())
    balance.check(mapper.close())
    assert not balance.speaking, "a start without an end"
    return thrown
