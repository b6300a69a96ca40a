"""Speaks a reply piece by piece, and leaves out the pieces that the voice refuses."""

import logging
from collections import deque
from collections.abc import AsyncIterator, Callable
from typing import Any

from livekit import rtc
from livekit.agents import DEFAULT_API_CONNECT_OPTIONS, APIConnectOptions, tts
from livekit.agents.tts.stream_adapter import StreamAdapterWrapper
from livekit.agents.utils import shortuuid

from agent.call.models.errors import ContentRefusedError
from agent.call.output.pauses import Pauses
from agent.call.reply.first_clause import Pieces
from agent.call.reply.read_ahead import Piece, ReadAhead
from agent.call.reply.refusals import NothingSpokenError
from agent.call.reply.spoken_form import is_speakable
from agent.livekit_private import mark_started, pushed_text

log = logging.getLogger(__name__)

MOST_LEFT_OUT = 2
"""Pieces left out in a row. A voice that refuses one more has failed."""

_REMEMBERED = 20


class PromptVoice(tts.StreamAdapter):
    """Speaks by clauses and sentences with a voice that takes only whole texts.

    `on_first_sound` is called when the first sound of a speech has come, even if it may not be
    heard yet.
    """

    def __init__(
        self,
        voice: tts.TTS[Any],
        *,
        least_chars: int,
        longest_pause_seconds: float,
        on_first_sound: Callable[[], None],
    ) -> None:
        super().__init__(tts=voice)
        self.voice = voice
        self.least_chars = least_chars
        self.longest_pause_seconds = longest_pause_seconds
        self.is_fast = False
        """Whether the voice is fast enough for two requests at once; False until that is known."""
        self._on_first_sound = on_first_sound
        self.on_first_clause: Callable[[], None] = lambda: None
        """Called in the task of a speech, when its first piece is complete."""
        self._left_out: deque[str] = deque(maxlen=_REMEMBERED)
        self._left_out_in_a_row = 0

    def stream(self, *, conn_options: APIConnectOptions = DEFAULT_API_CONNECT_OPTIONS) -> "_Speech":
        return _Speech(self, conn_options, self._on_first_sound)

    def has_spoken(self, piece: Piece) -> None:
        """A piece has been spoken."""
        self._left_out_in_a_row = 0
        if piece.is_fast is not None:
            self.is_fast = piece.is_fast

    def may_leave_out(self, piece: str, refused: ContentRefusedError) -> bool:
        """Whether the speech may go on without a piece that the voice refused."""
        if self._left_out_in_a_row >= MOST_LEFT_OUT:
            return False
        self._left_out_in_a_row += 1
        if not refused.has_begun:
            self._left_out.append(piece)
        log.warning("a sentence that cannot be spoken is left out", extra={"error": str(refused)})
        return True

    def heard(self, text: str) -> str:
        """The text as it was spoken: without the pieces that were left out recently."""
        for piece in list(self._left_out):
            before, found, after = text.partition(piece)
            if found:
                text = before + after.lstrip()
                self._left_out.remove(piece)
        return text


class _Speech(StreamAdapterWrapper):
    def __init__(
        self, voice: PromptVoice, options: APIConnectOptions, on_first_sound: Callable[[], None]
    ) -> None:
        super().__init__(tts=voice, conn_options=options)
        self._prompt_voice = voice
        self._options = options
        self._on_first_sound: Callable[[], None] | None = on_first_sound

    async def __anext__(self) -> tts.SynthesizedAudio:
        audio = await super().__anext__()
        if self._on_first_sound is not None:
            tell, self._on_first_sound = self._on_first_sound, None
            tell()
        return audio

    async def _run(self, output_emitter: tts.AudioEmitter) -> None:
        voice = self._prompt_voice
        output_emitter.initialize(
            request_id=shortuuid(),
            sample_rate=voice.sample_rate,
            num_channels=voice.num_channels,
            mime_type="audio/pcm",
            stream=True,
        )
        output_emitter.start_segment(segment_id=shortuuid())
        self._pauses = Pauses(voice.sample_rate, voice.num_channels, voice.longest_pause_seconds)
        self._ahead = ReadAhead(voice.voice, self._options, is_fast=voice.is_fast)
        async with self._ahead.read(self._pieces()) as pieces:
            spoken = [await self._speak(piece, output_emitter) async for piece in pieces]
        if spoken and not any(spoken):
            raise NothingSpokenError

    async def _pieces(self) -> AsyncIterator[str]:
        """The speakable pieces of the text, in order, as soon as they are complete."""
        pieces, is_first = Pieces(self._prompt_voice.least_chars), True
        async for text in pushed_text(self):
            found = pieces.push(text) if isinstance(text, str) else pieces.flush()
            for piece in filter(is_speakable, found):
                mark_started(self)
                if is_first:
                    is_first = False
                    self._prompt_voice.on_first_clause()
                yield piece.strip()

    async def _speak(self, piece: Piece, output_emitter: tts.AudioEmitter) -> bool:
        """Speak a piece. Returns whether any of it was spoken."""
        self._pauses.begin_piece(piece.text)
        try:
            async for frame in piece.sound():
                self._push(self._pauses.push(bytes(frame.data)), output_emitter)
        except ContentRefusedError as refused:
            if not self._prompt_voice.may_leave_out(piece.text, refused):
                raise
            return refused.has_begun
        finally:
            self._push(self._pauses.end_piece(), output_emitter)
            piece.settle()
        output_emitter.flush()
        self._prompt_voice.has_spoken(piece)
        self._ahead.is_fast = self._prompt_voice.is_fast
        return True

    def _push(self, samples: bytes, output_emitter: tts.AudioEmitter) -> None:
        """Pass samples on to the session."""
        if samples:
            voice = self._prompt_voice
            count = len(samples) // (2 * voice.num_channels)
            frame = rtc.AudioFrame(samples, voice.sample_rate, voice.num_channels, count)
            self._ahead.will_play(frame.duration)
            output_emitter.push_frame(frame)
