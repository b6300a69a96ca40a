"""The voice: a reply is spoken piece by piece, and what it refuses to say is left out."""

import logging
from collections import deque
from collections.abc import AsyncIterator, Callable
from typing import Any

from livekit.agents import DEFAULT_API_CONNECT_OPTIONS, APIConnectOptions, tts
from livekit.agents.tts.stream_adapter import StreamAdapterWrapper
from livekit.agents.utils import shortuuid

from agent.call.first_clause import Pieces
from agent.call.models.errors import ContentRefusedError
from agent.call.refusals import NothingSpokenError
from agent.call.spoken_form import is_speakable

log = logging.getLogger(__name__)

MOST_LEFT_OUT = 2
"""Pieces in a row. A voice that can say none of three has failed."""

_REMEMBERED = 20


class PromptVoice(tts.StreamAdapter):
    """A voice that takes whole texts, spoken with by clauses and sentences.

    `on_first_sound` is called when the first sound of a speech is there, whether or not it may be
    heard yet.
    """

    def __init__(
        self, voice: tts.TTS[Any], *, least_chars: int, on_first_sound: Callable[[], None]
    ) -> None:
        super().__init__(tts=voice)
        self.voice = voice
        self.least_chars = least_chars
        self._on_first_sound = on_first_sound
        self._left_out: deque[str] = deque(maxlen=_REMEMBERED)
        self._left_out_in_a_row = 0

    def stream(self, *, conn_options: APIConnectOptions = DEFAULT_API_CONNECT_OPTIONS) -> "_Speech":
        return _Speech(self, conn_options, self._on_first_sound)

    def has_spoken(self) -> None:
        """A piece has been spoken."""
        self._left_out_in_a_row = 0

    def may_leave_out(self, piece: str, refused: ContentRefusedError) -> bool:
        """Whether the speech goes on without a piece that was refused."""
        if self._left_out_in_a_row >= MOST_LEFT_OUT:
            return False
        self._left_out_in_a_row += 1
        if not refused.has_begun:
            self._left_out.append(piece)
        log.warning("a sentence cannot be spoken, it is left out", extra={"error": str(refused)})
        return True

    def heard(self, text: str) -> str:
        """What of a text has been spoken: it, without the pieces that were left out of late."""
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
        output_emitter.initialize(
            request_id=shortuuid(),
            sample_rate=self._prompt_voice.sample_rate,
            num_channels=self._prompt_voice.num_channels,
            mime_type="audio/pcm",
            stream=True,
        )
        output_emitter.start_segment(segment_id=shortuuid())
        spoken = [await self._speak(piece, output_emitter) async for piece in self._pieces()]
        if spoken and not any(spoken):
            raise NothingSpokenError

    async def _pieces(self) -> AsyncIterator[str]:
        """What can be spoken of the text, in the order and as soon as it comes."""
        pieces = Pieces(self._prompt_voice.least_chars)
        async for text in self._input_ch:
            found = pieces.push(text) if isinstance(text, str) else pieces.flush()
            for piece in filter(is_speakable, found):
                yield piece.strip()

    async def _speak(self, piece: str, output_emitter: tts.AudioEmitter) -> bool:
        """Whether the piece has been spoken."""
        self._mark_started()
        try:
            async with self._prompt_voice.voice.synthesize(
                piece, conn_options=self._options
            ) as sound:
                async for audio in sound:
                    output_emitter.push_frame(audio.frame)
        except ContentRefusedError as refused:
            if not self._prompt_voice.may_leave_out(piece, refused):
                raise
            return refused.has_begun
        output_emitter.flush()
        self._prompt_voice.has_spoken()
        return True
