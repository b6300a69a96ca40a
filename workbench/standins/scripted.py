"""A session's parts whose every move a test decides: STT, VAD, LLM, TTS, loudspeaker.

They work in the time of the event loop, which may be a virtual clock's.
"""

import asyncio
import time
from typing import Any

from livekit import rtc
from livekit.agents import APIConnectOptions, ChatContext, llm, stt, tts, vad
from livekit.agents.voice.io import AudioOutput, AudioOutputCapabilities

from agent.caller.waiting import Changes

RATE = 16_000


class ScriptedSTT(stt.STT[Any]):
    """Hears what the test says."""

    def __init__(self) -> None:
        super().__init__(capabilities=stt.STTCapabilities(streaming=True, interim_results=True))
        self.events: asyncio.Queue[stt.SpeechEvent] = asyncio.Queue()

    def stream(self, **_: Any) -> "_Scripted":
        return _Scripted(stt=self, conn_options=APIConnectOptions())

    async def _recognize_impl(self, *_: Any, **__: Any) -> stt.SpeechEvent:
        raise NotImplementedError


class _Scripted(stt.RecognizeStream):
    async def _run(self) -> None:
        assert isinstance(self._stt, ScriptedSTT)
        while True:
            self._event_ch.send_nowait(await self._stt.events.get())


class ScriptedVAD(vad.VAD):
    """Hears a voice whenever the test says so, and its end half a second later, as Silero does."""

    def __init__(self) -> None:
        super().__init__(capabilities=vad.VADCapabilities(update_interval=0.032))
        self.voice = False

    def stream(self) -> "_Detection":
        return _Detection(self)


class _Detection(vad.VADStream):
    async def _main_task(self) -> None:
        detector = self._vad
        assert isinstance(detector, ScriptedVAD)
        speaking, spoken, silent = False, 0.0, 0.0
        while True:
            await asyncio.sleep(0.032)
            silent = 0.0 if detector.voice else silent + 0.032
            if speaking != (detector.voice or (speaking and silent < 0.55)):
                speaking = not speaking
                start, end = vad.VADEventType.START_OF_SPEECH, vad.VADEventType.END_OF_SPEECH
                self._tell(start if speaking else end, spoken, silent)
            spoken = spoken + 0.032 if speaking else 0.0
            self._tell(vad.VADEventType.INFERENCE_DONE, spoken, silent)

    def _tell(self, kind: vad.VADEventType, spoken: float, silent: float) -> None:
        self._event_ch.send_nowait(
            vad.VADEvent(
                kind,
                samples_index=0,
                timestamp=0,
                speech_duration=spoken,
                silence_duration=silent,
                speaking=spoken > 0,
                probability=0.0 if silent else 1.0,
                raw_accumulated_silence=silent,
                raw_accumulated_speech=0 if silent else spoken,
            )
        )


class Loudspeaker(AudioOutput):
    """Plays in the test's time; knows how much it has played, and when it did not."""

    def __init__(self) -> None:
        super().__init__(label="loudspeaker", capabilities=AudioOutputCapabilities(pause=True))
        self.played_seconds = 0.0
        self.paused = False
        self.changes = Changes()
        self._left = 0.0
        self._flushed = False
        self._player: asyncio.Task[None] | None = None

    async def capture_frame(self, frame: rtc.AudioFrame) -> None:
        await super().capture_frame(frame)
        self._left += frame.duration
        self._flushed = False
        if self._player is None:
            self.on_playback_started(created_at=time.time())
            self._player = asyncio.create_task(self._play())
        self.changes.tell()

    def flush(self) -> None:
        super().flush()
        self._flushed = True

    async def _play(self) -> None:
        while self._left > 0 or not self._flushed:
            await asyncio.sleep(0.01)
            if self._left > 0 and not self.paused:
                self.played_seconds += 0.01
                self._left -= 0.01
                if self._left <= 0:
                    self.changes.tell()
        self._end(interrupted=False)

    def _end(self, *, interrupted: bool) -> None:
        self._player, self._left = None, 0.0
        self.changes.tell()
        self.on_playback_finished(playback_position=self.played_seconds, interrupted=interrupted)

    def clear_buffer(self) -> None:
        if self._player is not None:
            self._player.cancel()
            self._end(interrupted=True)

    def pause(self) -> None:
        self.paused = True
        self.changes.tell()

    def resume(self) -> None:
        self.paused = False
        self.changes.tell()

    @property
    def playing(self) -> bool:
        return self._player is not None and self._left > 0 and not self.paused


class ScriptedLLM(llm.LLM[Any]):
    """Answers each question with the next of its replies, the last one again and again; `asked`
    has what it was asked, message by message."""

    def __init__(self, *replies: str) -> None:
        super().__init__()
        self._replies = list(replies)
        self.asked: list[list[tuple[str, str]]] = []

    def chat(self, *, chat_ctx: ChatContext, tools: Any = None, **others: Any) -> llm.LLMStream:
        messages = [(each.role, each.text_content or "") for each in chat_ctx.messages()]
        self.asked.append([each for each in messages if each[0] in ("user", "assistant")])
        reply = self._replies.pop(0) if len(self._replies) > 1 else self._replies[0]
        options = others.get("conn_options") or APIConnectOptions()
        return _Thought(self, reply, chat_ctx=chat_ctx, tools=tools or [], conn_options=options)


class _Thought(llm.LLMStream):
    def __init__(self, model: ScriptedLLM, reply: str, **others: Any) -> None:
        super().__init__(model, **others)
        self._reply = reply

    async def _run(self) -> None:
        delta = llm.ChoiceDelta(role="assistant", content=self._reply)
        self._event_ch.send_nowait(llm.ChatChunk(id="1", delta=delta))


class ScriptedTTS(tts.TTS[Any]):
    """Speaks a fixed number of letters a second; each of its samples is `level`."""

    def __init__(self, letters_a_second: float = 15, *, level: int = 0) -> None:
        capabilities = tts.TTSCapabilities(streaming=False)
        super().__init__(capabilities=capabilities, sample_rate=RATE, num_channels=1)
        self.letters_a_second = letters_a_second
        self.level = level
        self.texts: list[str] = []
        """What it was asked to say."""

    def synthesize(self, text: str, *, conn_options: Any = None) -> tts.ChunkedStream:
        self.texts.append(text)
        return _Speech(tts=self, input_text=text, conn_options=conn_options or APIConnectOptions())


class _Speech(tts.ChunkedStream):
    async def _run(self, output_emitter: tts.AudioEmitter) -> None:
        assert isinstance(self._tts, ScriptedTTS)
        output_emitter.initialize(
            request_id="1", sample_rate=RATE, num_channels=1, mime_type="audio/pcm"
        )
        samples = round(RATE * len(self._input_text) / self._tts.letters_a_second)
        output_emitter.push(self._tts.level.to_bytes(2, "little", signed=True) * samples)
