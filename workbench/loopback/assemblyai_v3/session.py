"""One open session without its socket: audio and text frames in, what is to be sent out.

It knows the audio clock only; the shell adds sockets, time limits and delays.
"""

import json
from collections.abc import Iterator

from workbench.loopback.assemblyai_v3 import messages
from workbench.loopback.assemblyai_v3.framing import FrameRules
from workbench.loopback.assemblyai_v3.hearing import Hearing, Recognizer
from workbench.loopback.assemblyai_v3.immutable_turns import ImmutableTurns
from workbench.loopback.assemblyai_v3.knobs import Fault, Knobs
from workbench.loopback.assemblyai_v3.messages import Message
from workbench.loopback.assemblyai_v3.outputs import Close, Fail, Output, Send, TurnEnd
from workbench.loopback.assemblyai_v3.parameters import (
    InvalidParametersError,
    Parameters,
    updated,
)
from workbench.loopback.assemblyai_v3.rewritten_turns import RewrittenTurns


class Session:
    """From Begin to the end. Every method yields what is to be done, in order."""

    def __init__(
        self, parameters: Parameters, recognizer: Recognizer, knobs: Knobs, fault: Fault
    ) -> None:
        self.parameters = parameters
        self.audio_ms = 0.0
        self._recognizer = recognizer
        self._knobs = knobs
        self._fault = fault
        self._rules = FrameRules(parameters.encoding, parameters.sample_rate, knobs)
        self._extra_messages = sorted(fault.extra_messages, key=lambda each: each[0])
        self._silence_told_ms = 0
        self._turns: ImmutableTurns | RewrittenTurns
        if parameters.is_rewriting:
            self._turns = RewrittenTurns(parameters)
        else:
            delay_ms = None if fault.never_twin else knobs.format_twin_delay_ms
            self._turns = ImmutableTurns(parameters, twin_delay_ms=delay_ms)

    def duration_ms(self, frame: bytes) -> float:
        """How much audio a binary message holds."""
        return self._rules.duration_ms(frame)

    def accept_audio(self, frame: bytes) -> Iterator[Output]:
        """One binary message."""
        duration_ms = self.duration_ms(frame)
        fault = self._rules.judge(duration_ms)
        if fault is not None:
            yield fault
            return
        self.audio_ms += duration_ms
        for hearing in self._recognizer.listen(frame, duration_ms):
            for output in self._turns.step(hearing):
                yield from self._passed_on(output)
            yield from self._silence(hearing)
        while self._extra_messages and self._extra_messages[0][0] <= self.audio_ms:
            yield Send(self._extra_messages.pop(0)[1])

    def accept_text(self, text: str, session_seconds: float) -> Iterator[Output]:
        """One text message. `session_seconds` is how long the session has been open."""
        try:
            message = json.loads(text)
        except json.JSONDecodeError as broken:
            yield Fail(3006, f"Invalid JSON: {broken.msg}")
            return
        if not isinstance(message, dict) or not isinstance(message.get("type"), str):
            yield Fail(3006, "Invalid Message")
            return
        match message["type"]:
            case "ForceEndpoint":
                yield from self._force_endpoint()
            case "UpdateConfiguration":
                yield from self._update(message)
            case "KeepAlive":
                pass
            case "Terminate":
                yield from self._terminate(session_seconds)
            case unknown:
                yield Fail(3006, f"Invalid Message Type: {unknown}")

    def _force_endpoint(self) -> Iterator[Output]:
        delay_ms = self._knobs.force_endpoint_delay_ms
        for output in self._end_open_turn():
            if isinstance(output, Send):
                yield Send(output.message, output.delay_ms + delay_ms)
                delay_ms = 0
            else:
                yield output

    def _update(self, changes: Message) -> Iterator[Output]:
        try:
            self.parameters = updated(self.parameters, changes)
        except InvalidParametersError as invalid:
            yield Fail(3006, str(invalid))
            return
        self._turns.parameters = self.parameters

    def _terminate(self, session_seconds: float) -> Iterator[Output]:
        yield from self._end_open_turn()
        if self._fault.empty_final:
            yield from self._turns.empty_end()
        if self._fault.never_terminate:
            return
        delay_ms = self._fault.termination_delay_ms
        yield Send(
            messages.termination(self.audio_ms, session_seconds),
            self._knobs.termination_delay_ms if delay_ms is None else delay_ms,
        )
        yield Close()

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

    def _silence(self, hearing: Hearing) -> Iterator[Output]:
        """Section 7.8: about once a second while nothing is transcribed."""
        if hearing.words or not self.parameters.acknowledge_silence:
            self._silence_told_ms = hearing.now_ms
        elif hearing.now_ms - self._silence_told_ms >= self._knobs.silence_seconds * 1000:
            start_ms, self._silence_told_ms = self._silence_told_ms, hearing.now_ms
            yield Send({"type": "Silence", "start_ms": start_ms, "end_ms": hearing.now_ms})
