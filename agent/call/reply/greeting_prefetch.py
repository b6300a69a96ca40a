"""Synthesises the greeting while the agent joins the room, so that it is ready for the caller.

Joining takes at least as long as a voice's first sound, and neither needs the other.
"""

from collections.abc import AsyncIterable, AsyncIterator, Callable

from livekit import rtc
from livekit.agents import AgentSession, APIError, tts

from agent.call.reply.spoken_form import spoken_form

Speak = Callable[[AsyncIterable[str]], AsyncIterable[rtc.AudioFrame]]


class GreetingPrefetch:
    """Begins to synthesise the text that a session will say first."""

    def __init__(self, session: AgentSession[None], text: str) -> None:
        assert isinstance(session.tts, tts.TTS)  # `build_session` has one
        self._text = spoken_form(text)
        self._stream = session.tts.stream(conn_options=session.conn_options.tts_conn_options)
        self._stream.push_text(self._text)
        self._stream.end_input()

    async def speak(
        self, text: AsyncIterable[str], otherwise: Speak
    ) -> AsyncIterator[rtc.AudioFrame]:
        """The sound of this text, which is in its spoken form: the one prepared, if there is one
        for it, else that of `otherwise`.

        Does not raise a failure before the first sound: the text is synthesised once more by
        `otherwise`, and the session learns of that failure.
        """
        said = [piece async for piece in text]
        if "".join(said) == self._text:
            begun = False
            try:
                async for audio in self._stream:
                    begun = True
                    yield audio.frame
            except APIError:
                if begun:
                    raise
            if begun:
                return
        await self.aclose()
        async for frame in otherwise(_again(said)):
            yield frame

    async def aclose(self) -> None:
        """Stop synthesising: nobody will hear it."""
        await self._stream.aclose()


async def _again(pieces: list[str]) -> AsyncIterator[str]:
    for piece in pieces:
        yield piece
