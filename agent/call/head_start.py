"""The greeting is being spoken already while the agent joins the room: it waits for the caller.

To join takes as long as the first sound of a voice, or longer, and neither needs the other.
"""

from collections.abc import AsyncIterable, AsyncIterator, Callable

from livekit import rtc
from livekit.agents import AgentSession, APIError, tts

from agent.call.spoken_form import spoken_form

Speak = Callable[[AsyncIterable[str]], AsyncIterable[rtc.AudioFrame]]


class HeadStart:
    """A text that is synthesised from now on, for a session that will say it first."""

    def __init__(self, session: AgentSession[None], text: str) -> None:
        assert isinstance(session.tts, tts.TTS)  # `build_session` has one
        self._text = spoken_form(text)
        self._stream = session.tts.stream(conn_options=session.conn_options.tts_conn_options)
        self._stream.push_text(self._text)
        self._stream.end_input()

    async def speak(
        self, text: AsyncIterable[str], otherwise: Speak
    ) -> AsyncIterator[rtc.AudioFrame]:
        """This text's sound: what has been made of it, or else what `otherwise` makes. The text
        that comes has its spoken form.

        A failure before the first sound is not raised: the session may not have been there to hear
        of it, and hears of the next one.
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
        """Stop what is being made; nobody will hear it."""
        await self._stream.aclose()


async def _again(pieces: list[str]) -> AsyncIterator[str]:
    for piece in pieces:
        yield piece
