"""Says the soft "mhm" of `backchannel`, beside the session.

Said through the session it would be a turn of the agent, and would end the caller's turn.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from typing import Any

import numpy as np
from livekit import rtc
from livekit.agents import AgentSession, AgentStateChangedEvent, stt, tts, utils, vad

from agent.call.output.pauses import Pauses
from agent.call.output.side_track import SideTrack
from agent.call.turns.backchannel import Backchannel
from agent.call.turns.eagerness import outlook
from agent.call.turns.early_replies import so_far_of
from agent.tasks import Tasks
from config.settings import Settings

log = logging.getLogger(__name__)

Type = stt.SpeechEventType
_SO_FAR = (Type.INTERIM_TRANSCRIPT, Type.PREFLIGHT_TRANSCRIPT)

# How much softer than speech the sound is.
SOFTER_DB = 12.0
# A longer sound is the word spelt out: M, H, M.
LONGEST_SECONDS = 1.2
FRAME_SECONDS = 0.02

_Sound = list[rtc.AudioFrame]


class BackchannelSound:
    """For one call. It comes after everything else that filters the caller's speech events.

    The voice makes the sound in the first long turn, once for each language; then it is kept.
    """

    def __init__(
        self,
        session: AgentSession[None],
        backchannel: Backchannel,
        settings: Settings,
        is_free: Callable[[], bool],
    ) -> None:
        """`is_free`: whether the agent listens and has nothing to say. Until the caller's language
        is known, the sound is one of the agent's language."""
        self.track: SideTrack | None = None
        """The track that plays it; None until there is a room."""
        self.backchannel = backchannel
        self._session = session
        self._phrasebook = settings.files.phrasebook
        self._is_free = is_free
        self._loop = asyncio.get_running_loop()
        self._language = ""
        self._agents_language = settings.agent.language
        self._sounds: dict[str, asyncio.Task[_Sound]] = {}
        self._playing: asyncio.Task[None] | None = None
        self._tasks = Tasks()

    @property
    def sample_rate(self) -> int:
        """The sound's, in samples a second."""
        return self._voice.sample_rate

    async def watch(
        self, events: AsyncGenerator[stt.SpeechEvent]
    ) -> AsyncGenerator[stt.SpeechEvent]:
        """Read the events and pass them on unchanged."""
        async with aclosing(events):
            async for event in events:
                self._on_event(event)
                yield event

    def heard(self, event: vad.VADEvent) -> None:
        """Take the voice detector's newest result."""
        if event.type is vad.VADEventType.INFERENCE_DONE and self.track:
            self.backchannel.hear(self._loop.time(), event.probability)
            self._update(self.track)

    def _on_event(self, event: stt.SpeechEvent) -> None:
        now = self._loop.time()
        if event.type is Type.START_OF_SPEECH:
            begun_at = event.speech_start_time or event.created_at
            self.backchannel.open(now - max(0.0, event.created_at - begun_at))
        elif event.type is Type.END_OF_SPEECH:
            self.backchannel.close()
        elif event.type is Type.FINAL_TRANSCRIPT and event.alternatives:
            self.backchannel.finish(event.alternatives[0].text)
        elif event.type in _SO_FAR and event.alternatives:
            self._language = event.alternatives[0].language or self._language
            so_far = so_far_of(event, now)
            expected = outlook(so_far, self._phrasebook.of(self._language), asked=False)
            is_answered = event.type is Type.PREFLIGHT_TRANSCRIPT
            self.backchannel.learn(so_far, expected, is_answered=is_answered)

    def _update(self, track: SideTrack) -> None:
        now = self._loop.time()
        text = self._phrasebook.of(self._language or self._agents_language).listening
        if not text or not self.backchannel.is_near(now):
            return
        if text not in self._sounds:
            track.get_ready()
            self._sounds[text] = self._tasks.start(self._make(text), name="backchannel is made")
        made = self._sounds[text]
        sound = made.result() if made.done() else []
        if sound and track.is_ready and self.backchannel.is_due(now) and self._is_free():
            self.backchannel.said()
            self._playing = self._tasks.start(self._play(track, sound), name="backchannel")

    async def _play(self, track: SideTrack, sound: _Sound) -> None:
        try:
            await track.play(_each(sound))
            log.info("the caller was shown that the agent listens")
        except Exception:  # a closing room may raise anything, and this must not end a call
            log.exception("the backchannel could not be played")

    async def _make(self, text: str) -> _Sound:
        """The sound in frames; empty if the voice fails, or makes no short sound of it."""
        options = self._session.conn_options.tts_conn_options
        try:
            async with self._voice.synthesize(text, conn_options=options) as stream:
                made = await stream.collect()
        except Exception as error:  # whatever the voice raises: the call goes on without the sound
            log.warning("the backchannel could not be made", extra={"error": str(error)})
            return []
        sound = softened(made, text)
        if not sound or sum(each.duration for each in sound) > LONGEST_SECONDS:
            log.warning("the voice makes no short backchannel", extra={"text": text})
            return []
        return sound

    @property
    def _voice(self) -> tts.TTS[Any]:
        assert isinstance(self._session.tts, tts.TTS)  # `build_session` has one
        return self._session.tts

    def on_agent_state_changed(self, event: AgentStateChangedEvent) -> None:
        """Stop the sound when the agent begins to speak."""
        if event.new_state == "speaking" and self._playing:
            self._playing.cancel()

    def close(self) -> None:
        """Fall silent for good."""
        self.track = None
        self._tasks.cancel()

    async def aclose(self) -> None:
        """The same; return when nothing runs any more."""
        self.close()
        await self._tasks.aclose()


def softened(sound: rtc.AudioFrame, text: str) -> _Sound:
    """The sound as it is played: soft, without silence at either end, and cut into frames."""
    rate, channels = sound.sample_rate, sound.num_channels
    pauses = Pauses(rate, channels, longest_seconds=0.0)
    pauses.begin_piece(text)
    heard = np.frombuffer(pauses.push(bytes(sound.data)), np.int16)
    soft = (heard * 10 ** (-SOFTER_DB / 20)).astype(np.int16)
    cutter = utils.audio.AudioByteStream(rate, channels, round(rate * FRAME_SECONDS))
    return [*cutter.push(soft.tobytes()), *cutter.flush()]


async def _each(sound: _Sound) -> AsyncIterator[rtc.AudioFrame]:
    for frame in sound:
        yield frame
