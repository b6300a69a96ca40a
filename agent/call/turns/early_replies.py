"""Begins replies before the turn is over: gives the session words that may be the whole turn.

Such a *preflight* makes LiveKit generate and synthesise a reply that nobody hears yet. LiveKit
drops it when other words come, and on a second preflight of the same words; so each is sent once.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable
from contextlib import aclosing
from dataclasses import replace

from livekit.agents import stt, vad

from agent.call.relay import Relay
from agent.call.turns.eagerness import Eagerness, SoFar, outlook
from agent.call.voices.vad_tap import level_of
from config.phrases import Phrasebook, words_of

Type = stt.SpeechEventType
_TRANSCRIPTS = (Type.INTERIM_TRANSCRIPT, Type.PREFLIGHT_TRANSCRIPT)
_QUESTION_MARKS = ("?", "\uff1f", "\u061f")


class EarlyReplies:
    """For one call. It comes after everything else that filters the caller's speech events."""

    def __init__(self, eagerness: Eagerness, phrasebook: Phrasebook) -> None:
        self.is_dictated = False
        """The caller dictates a number, an address or a spelling: pauses mean nothing."""
        self._eagerness = eagerness
        self._phrasebook = phrasebook
        self._loop = asyncio.get_running_loop()
        self._asked = False
        self._latest: stt.SpeechEvent | None = None
        self._relay = Relay("early replies")

    async def watch(
        self, events: AsyncIterable[stt.SpeechEvent]
    ) -> AsyncGenerator[stt.SpeechEvent]:
        """The same events, with preflights added. Raises what the source raises."""
        try:
            async with aclosing(self._relay.read(events, self._on_event)) as passed_on:
                async for event in passed_on:
                    yield event
        finally:
            self._close()

    def agent_said(self, text: str) -> None:
        """The agent said this: the caller's next words answer it."""
        self._asked = text.rstrip().endswith(_QUESTION_MARKS)

    def heard(self, event: vad.VADEvent) -> None:
        """Take the voice detector's newest result."""
        if event.type is vad.VADEventType.INFERENCE_DONE:
            self._eagerness.hear(self._loop.time(), event.probability, level_of(event))
            self._update()

    def _on_event(self, event: stt.SpeechEvent) -> None:
        if event.type in _TRANSCRIPTS and event.alternatives:
            event = self._read(event)
        elif event.type is Type.START_OF_SPEECH:
            begun_at = event.speech_start_time or event.created_at
            self._eagerness.open(self._loop.time() - max(0.0, event.created_at - begun_at))
        elif event.type is Type.FINAL_TRANSCRIPT and event.alternatives:
            self._latest = None
            self._eagerness.end(self._loop.time(), event.alternatives[0].text)
        elif event.type is Type.END_OF_SPEECH:
            self._close()
        self._relay.pass_on(event)
        self._update()

    def _read(self, event: stt.SpeechEvent) -> stt.SpeechEvent:
        """The event for the session. At a second preflight LiveKit would restart the same reply."""
        now, best = self._loop.time(), event.alternatives[0]
        so_far = so_far_of(event, now)
        phrases = self._phrasebook.of(best.language)
        self._eagerness.learn(now, so_far, outlook(so_far, phrases, asked=self._asked))
        self._latest = event
        if event.type is Type.INTERIM_TRANSCRIPT:
            return event
        if self._eagerness.begun == words_of(best.text):
            return replace(event, type=Type.INTERIM_TRANSCRIPT)
        self._eagerness.begin(self._loop.time())
        return event

    def _update(self) -> None:
        if self._latest is None or self.is_dictated:
            return
        if self._eagerness.begins():
            self._eagerness.begin(self._loop.time())
            self._relay.pass_on(replace(self._latest, type=Type.PREFLIGHT_TRANSCRIPT))

    def _close(self) -> None:
        self._latest = None
        self._eagerness.close()


def so_far_of(event: stt.SpeechEvent, now: float) -> SoFar:
    """The words of an event, at `now` on the event loop's clock, in seconds.

    Another recogniser than AssemblyAI's tells less, and the rest stays unknown.
    """
    best = event.alternatives[0]
    known = best.metadata or {}
    ended_at = known.get("ended_at")
    return SoFar(
        best.text,
        settled=bool(known.get("settled")),
        confidence=known.get("end_of_turn_confidence"),
        ended_at=None if ended_at is None else now - (event.created_at - ended_at),
    )
