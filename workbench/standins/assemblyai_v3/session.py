"""One open session without its socket: audio and text frames in, what is to be sent out.

It knows the audio clock only; the shell adds sockets, time limits and delays.
"""

import json
from collections.abc import Iterator

from workbench.standins.assemblyai_v3 import messages
from workbench.standins.assemblyai_v3.annotations import Annotations, empty_final
from workbench.standins.assemblyai_v3.framing import FrameRules
from workbench.standins.assemblyai_v3.hearing import Hearing, Recognizer
from workbench.standins.assemblyai_v3.immutable_turns import ImmutableTurns
from workbench.standins.assemblyai_v3.knobs import NO_FAULT, Fault, Knobs
from workbench.standins.assemblyai_v3.messages import Message
from workbench.standins.assemblyai_v3.outputs import Close, Fail, Output, Send, TurnEnd
from workbench.standins.assemblyai_v3.parameters import (
    InvalidParametersError,
    Parameters,
    updated,
)
from workbench.standins.assemblyai_v3.rewritten_turns import RewrittenTurns


class Session:
    """From Begin to the end. Every method yields what is to be done, in order."""

    def __init__(
        self,
        parameters: Parameters,
        recognizer: Recognizer,
        knobs: Knobs,
        fault: Fault = NO_FAULT,
    ) -> None:
        self.parameters = parameters
        self.audio_ms = 0.0
        self.is_over = False
        self._recognizer = recognizer
        self._knobs = knobs
        self._rules = FrameRules(parameters.encoding, parameters.sample_rate, knobs)
        self._extras_told = 0
        self._silence_told_ms = 0
        self._voice_probability = 0.0
        self._annotations = Annotations(
            language_detection=parameters.language_detection,
            speaker_labels=parameters.speaker_labels,
        )
        self._turns: ImmutableTurns | RewrittenTurns
        if parameters.is_rewriting:
            self._turns = RewrittenTurns(parameters, self._annotations)
        else:
            self._turns = ImmutableTurns(parameters, self._annotations, tells_late=knobs.tells_late)
        self.set_fault(fault)

    def set_fault(self, fault: Fault) -> None:
        """From now on this goes wrong."""
        self.fault = fault
        if isinstance(self._turns, ImmutableTurns):
            delay_ms = self._knobs.format_twin_delay_ms
            self._turns.twin_delay_ms = None if fault.never_twin else delay_ms

    def duration_ms(self, frame: bytes) -> float:
        """How much audio a binary message holds."""
        return self._rules.duration_ms(frame)

    def accept_audio(self, frame: bytes, *, is_late: bool = False) -> Iterator[Output]:
        """One binary message; what comes after Terminate is ignored."""
        if self.is_over:
            return
        duration_ms = self.duration_ms(frame)
        violation = self._rules.judge(duration_ms)
        if violation is not None:
            yield self._last(violation)
            return
        self.audio_ms += duration_ms
        for hearing in self._recognizer.listen(frame, duration_ms, is_late=is_late):
            self._voice_probability = max(self._voice_probability, hearing.voice_probability)
            for output in self._turns.step(hearing):
                yield from self._passed_on(output)
            yield from self._silence(hearing)
        yield from self._planned()

    def accept_text(self, text: str, session_seconds: float) -> Iterator[Output]:
        """One text message. `session_seconds` is how long the session has been open."""
        if self.is_over:
            return
        try:
            message = messages.parse(text)
        except json.JSONDecodeError as broken:
            yield self._last(Fail(3006, f"Invalid JSON: {broken.msg}"))
            return
        except ValueError:
            message = {}
        match message.get("type"):
            case "ForceEndpoint":
                yield from self._force_endpoint()
            case "UpdateConfiguration":
                yield from self._update(message)
            case "KeepAlive":
                pass
            case "Terminate":
                yield from self._terminate(session_seconds)
            case str(unknown):
                yield self._last(Fail(3006, f"Invalid Message Type: {unknown}"))
            case _:
                yield self._last(Fail(3006, "Invalid Message"))

    def heartbeat(self, session_seconds: float, received_ms: float) -> Iterator[Output]:
        """Section 7.7, if the client wants it. The figures are those since the session began."""
        if self.parameters.session_heartbeat:
            message = {
                "type": "Heartbeat",
                "total_audio_received_ms": int(received_ms),
                "total_duration_ms": int(session_seconds * 1000),
                "realtime_factor": round(received_ms / 1000 / session_seconds, 2),
                "max_speech_probability": round(self._voice_probability, 2),
            }
            self._voice_probability = 0.0
            yield Send(message)

    def _last(self, output: Fail | Close) -> Output:
        self.is_over = True
        return output

    def _force_endpoint(self) -> Iterator[Output]:
        delay_ms = self._knobs.force_endpoint_delay_ms
        for output in self._end_open_turn():
            if isinstance(output, Send):
                yield Send(output.message, output.delay_ms + delay_ms)
            else:
                yield output

    def _update(self, changes: Message) -> Iterator[Output]:
        try:
            self.parameters = updated(self.parameters, changes)
        except InvalidParametersError as invalid:
            yield self._last(Fail(3006, str(invalid)))
            return
        self._turns.parameters = self.parameters
        self._recognizer.adapt(
            vad_threshold=self.parameters.effective_vad_threshold,
            min_turn_silence_ms=self.parameters.silences.min_ms,
        )

    def _terminate(self, session_seconds: float) -> Iterator[Output]:
        yield from self._end_open_turn()
        if self.fault.empty_final:
            yield Send(empty_final(self._turns.turn_order))
        revision = self._annotations.revision()
        if revision is not None:
            yield Send(revision)
        self.is_over = True
        if self.fault.never_terminate:
            return
        delay_ms = self.fault.termination_delay_ms
        yield Send(
            messages.termination(self.audio_ms, session_seconds),
            self._knobs.termination_delay_ms if delay_ms is None else delay_ms,
        )
        yield self._last(Close())

    def _end_open_turn(self) -> Iterator[Output]:
        hearing = self._recognizer.conclude()
        if hearing.words:
            for output in self._turns.end(hearing):
                yield from self._passed_on(output)

    def _passed_on(self, output: Output) -> Iterator[Output]:
        if isinstance(output, TurnEnd):
            self._recognizer.close_turn()
        else:
            yield output

    def _planned(self) -> Iterator[Output]:
        """A fault's extra messages and its error, when their audio time has come."""
        for at_ms, message in self.fault.extra_messages[self._extras_told :]:
            if at_ms > self.audio_ms:
                break
            self._extras_told += 1
            yield Send(message)
        if self.fault.error_at_ms is not None and self.audio_ms >= self.fault.error_at_ms:
            yield self._last(Fail(*self.fault.error))

    def _silence(self, hearing: Hearing) -> Iterator[Output]:
        """Section 7.8: about once a second while nothing is transcribed."""
        if hearing.words or not (
            self.parameters.acknowledge_silence and self.parameters.is_rewriting
        ):
            self._silence_told_ms = hearing.now_ms
        elif hearing.now_ms - self._silence_told_ms >= self._knobs.silence_seconds * 1000:
            start_ms, self._silence_told_ms = self._silence_told_ms, hearing.now_ms
            yield Send({"type": "Silence", "start_ms": start_ms, "end_ms": hearing.now_ms})
