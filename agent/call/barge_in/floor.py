"""Who has the floor in a session. Makes the agent's voice yield to the caller's."""

import asyncio
from typing import Protocol

from livekit.agents import AgentSession, vad
from livekit.agents.voice.io import AudioOutput

from agent.call.barge_in.by_voice import Posture, VoiceBargeIn
from agent.call.barge_in.interruptions import Verdict
from agent.call.history.marked import MarkedUtterance, keep
from agent.call.output.playout import Playout
from agent.call.output.yielding_output import YieldingOutput
from agent.call.recording.recorder import Tap
from agent.call.voices.vad_tap import TappedVAD, level_of


class Witness(Protocol):
    """Learns what becomes of the agent's voice."""

    def fell_silent(self) -> None:
        """It has stopped for a voice, and may go on."""

    def went_on(self) -> None:
        """It goes on where it had stopped."""

    def floor_taken(self, words: str) -> None:
        """These words interrupt it for good."""


class Nobody:
    """No witness."""

    def fell_silent(self) -> None:
        pass

    def went_on(self) -> None:
        pass

    def floor_taken(self, words: str) -> None:
        pass


class SessionFloor:
    """The floor of one call's session. `begin` when the session has its output."""

    def __init__(
        self, session: AgentSession[None], playout: Playout, barge_in: VoiceBargeIn
    ) -> None:
        self._session = session
        self._playout = playout
        self._barge_in = barge_in
        self._loop = asyncio.get_running_loop()
        self._is_silent = False
        self.witness: Witness = Nobody()
        """Learns when the agent yields, and goes on."""
        self._output: YieldingOutput | None = None

    def begin(self, tap: Tap | None = None) -> None:
        """Listen to the voice detector, and put a `YieldingOutput` before the session's output.
        `tap` learns what is heard of the agent."""
        if isinstance(self._session.vad, TappedVAD):
            self._session.vad.taps.append(self.heard)
        first = self._session.output.audio
        if first is None:
            return
        self._output = YieldingOutput(_last(first), tap)
        if first.next_in_chain is None:
            self._session.output.audio = self._output
        else:
            self._session.output.replace_audio_tail(self._output)

    def close(self) -> None:
        """The agent says no more."""
        if self._output is not None:
            self._output.close()

    async def aclose(self) -> None:
        """The same; return when nothing runs any more."""
        if self._output is not None:
            await self._output.aclose()

    def agent_has_it(self) -> bool:
        speech = self._session.current_speech
        return speech is not None and not speech.interrupted and not speech.done()

    def may_be_taken(self) -> bool:
        speech = self._session.current_speech
        return speech is None or speech.allow_interruptions or speech.done()

    def is_aside(self, since: float) -> bool:
        return self._barge_in.is_aside(since)

    def interrupt(self, words: str) -> None:
        speech = self._session.current_speech
        if speech is not None and speech.allow_interruptions:
            self.witness.floor_taken(words)
            speech.interrupt()

    def keep(self, utterance: MarkedUtterance) -> None:
        keep(self._session, utterance)

    def on_verdict(self, verdict: Verdict | None) -> None:
        self._barge_in.on_verdict(verdict)
        self.update()

    def heard(self, event: vad.VADEvent) -> None:
        """Take the voice detector's newest result."""
        if event.type is vad.VADEventType.INFERENCE_DONE:
            is_callers_turn = self._session.agent_state == "listening"
            self._barge_in.hear(
                self._loop.time(), event.probability, level_of(event), callers_turn=is_callers_turn
            )
            self.update()

    def update(self) -> None:
        """Make the agent silent, soft or loud, as `VoiceBargeIn` says at this moment."""
        now = self._loop.time()
        posture = self._barge_in.posture(now)
        if not (self.agent_has_it() and self.may_be_taken()):
            posture = Posture.SPEAKS
        if self._output is not None:
            self._output.expects_pause = self._barge_in.may_yield(now)
            self._output.ducks = posture is not Posture.SPEAKS
        output = self._session.output.audio
        if output is None or self._is_being_interrupted():
            return
        is_silent = posture is Posture.IS_SILENT
        if is_silent:  # each time: LiveKit resumes its output when a part of a speech begins
            output.pause()
            if not self._is_silent:
                self._playout.fall_silent(now)
                self.witness.fell_silent()
        elif self._is_silent:
            output.resume()
            if self.agent_has_it():
                self.witness.went_on()
            if self._session.agent_state == "speaking":
                self._playout.sound(now)
        self._is_silent = is_silent

    def _is_being_interrupted(self) -> bool:
        """Whether the speech is interrupted, but not cleared: resuming would play more of it."""
        speech = self._session.current_speech
        return speech is not None and speech.interrupted and not speech.done()


def _last(output: AudioOutput) -> AudioOutput:
    while output.next_in_chain is not None:
        output = output.next_in_chain
    return output
