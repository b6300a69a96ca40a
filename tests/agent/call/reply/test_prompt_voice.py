"""A voice is asked for a speech piece by piece, and for nothing that it cannot say."""

import asyncio
import unicodedata
from collections.abc import AsyncIterator, Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from livekit.agents import (
    DEFAULT_API_CONNECT_OPTIONS,
    APIConnectionError,
    APIConnectOptions,
    APIError,
    APIStatusError,
    tts,
)

from agent.call.models.errors import ContentRefusedError
from agent.call.reply.first_clause import LONGEST, LONGEST_FIRST
from agent.call.reply.prompt_voice import PromptVoice
from agent.call.reply.reasoning import Reasoning
from agent.call.reply.refusals import NothingSpokenError
from agent.call.reply.spoken_form import LONGEST_HELD, in_spoken_form, is_speakable

PIECES = [
    "Of course, I can book that for you,",
    "one moment please, I will look at the book.",
    "It is seven o'clock now.",
    "Shall I go on?",
]
REPLY = " ".join(PIECES)
REFUSED = ContentRefusedError("no such words", has_begun=False)
DOWN = APIConnectionError(retryable=False)


class Humming(tts.ChunkedStream):
    """A tenth of a second of sound, or what `Hummer.fails` says."""

    _tts: "Hummer"

    async def _run(self, output_emitter: tts.AudioEmitter) -> None:
        if error := self._tts.fails(self.input_text):
            raise error
        output_emitter.initialize(
            request_id="hum", sample_rate=16_000, num_channels=1, mime_type="audio/pcm"
        )
        output_emitter.push(bytes(3200))
        output_emitter.flush()


class Hummer(tts.TTS[str]):
    """A voice that takes whole texts, and remembers them."""

    def __init__(self, fails: Callable[[str], APIError | None] = lambda text: None) -> None:
        capabilities = tts.TTSCapabilities(streaming=False)
        super().__init__(capabilities=capabilities, sample_rate=16_000, num_channels=1)
        self.fails = fails
        self.texts: list[str] = []

    def synthesize(
        self, text: str, *, conn_options: APIConnectOptions = DEFAULT_API_CONNECT_OPTIONS
    ) -> tts.ChunkedStream:
        self.texts.append(text)
        return Humming(tts=self, input_text=text, conn_options=conn_options)


def prompt(hummer: Hummer) -> PromptVoice:
    return PromptVoice(
        hummer, least_chars=20, longest_pause_seconds=0.25, on_first_sound=lambda: None
    )


async def spoken(voice: PromptVoice, text: AsyncIterator[str]) -> float:
    """Speak a text; how many seconds of sound it has."""
    async with voice.stream(conn_options=APIConnectOptions(max_retry=0)) as speech:
        async for piece in text:
            speech.push_text(piece)
        speech.end_input()
        return sum([audio.frame.duration async for audio in speech])


async def pieces(*texts: str) -> AsyncIterator[str]:
    for text in texts:
        yield text


async def test_a_voice_is_given_the_first_clause_and_tells_the_first_sound_once() -> None:
    hummer = Hummer()
    told: list[int] = []
    voice = PromptVoice(
        hummer,
        least_chars=20,
        longest_pause_seconds=0.25,
        on_first_sound=lambda: told.append(len(told)),
    )
    clauses: list[str] = []
    voice.on_first_clause = lambda: clauses.append(",".join(hummer.texts))
    async with voice.stream() as speech:
        speech.push_text(PIECES[0] + " ")
        first = await anext(speech)
        assert (hummer.texts, told) == (PIECES[:1], [0])
        speech.push_text(REPLY[len(PIECES[0]) + 1 :])
        speech.end_input()
        duration = first.frame.duration + sum([audio.frame.duration async for audio in speech])
    assert hummer.texts == PIECES
    assert duration >= 0.1 * len(PIECES)
    assert told == [0]
    assert clauses == [""]  # before the voice is asked


@pytest.mark.parametrize("refused", [PIECES[:1], PIECES[1:3], PIECES[-2:]])
async def test_pieces_that_a_voice_refuses_are_left_out(refused: list[str]) -> None:
    hummer = Hummer(lambda text: REFUSED if text in refused else None)
    kept = len(PIECES) - len(refused)
    assert await spoken(prompt(hummer), pieces(REPLY)) == pytest.approx(0.1 * kept, abs=0.05)
    assert hummer.texts == PIECES


async def test_a_voice_that_refuses_three_pieces_in_a_row_has_failed() -> None:
    voice = prompt(hummer := Hummer(lambda text: REFUSED))
    with pytest.raises(ContentRefusedError, match="no such words"):
        await spoken(voice, pieces(REPLY))
    assert len(hummer.texts) == 3


async def test_a_piece_that_is_spoken_forgives_those_that_were_not() -> None:
    voice = prompt(Hummer(lambda text: REFUSED if "bad" in text else None))
    for _ in range(5):
        assert await spoken(voice, pieces("Something bad is in here. This one is good enough.")) > 0


async def test_a_speech_of_which_nothing_is_spoken_says_so() -> None:
    with pytest.raises(NothingSpokenError):
        await spoken(prompt(Hummer(lambda text: REFUSED)), pieces("Yes."))


@pytest.mark.parametrize(
    "error", [DOWN, APIStatusError("key", status_code=401), APIStatusError("busy", status_code=503)]
)
async def test_any_other_error_is_the_voices(error: APIError) -> None:
    with pytest.raises(type(error)):
        await spoken(prompt(Hummer(lambda text: error)), pieces(REPLY))


async def test_what_has_no_letter_is_not_sent() -> None:
    hummer = Hummer()
    await spoken(prompt(hummer), pieces("That is all I know. ", *["... "] * 200, "Bye."))
    assert hummer.texts[0] == "That is all I know. ..."
    assert hummer.texts[-1].endswith("Bye.")
    assert all(map(is_speakable, hummer.texts))


async def test_an_answer_without_marks_is_sent_in_pieces() -> None:
    hummer = Hummer()
    await spoken(prompt(hummer), pieces("word " * 1100))
    assert len(hummer.texts[0]) <= LONGEST_FIRST
    assert max(map(len, hummer.texts)) <= LONGEST
    assert " ".join(hummer.texts).split() == ["word"] * 1100


PLAIN = ["word", "Mr.", "e.g.", "5.50", "ß", "سلام\u061f", "ก\u0e31น", "好\u3002", "x" * 1500]
MARKS = ["*", "**", "_", "`", "|", "#", "- ", "---", "[", "](x)", "<b>", "\\", "~~", ">", "..."]
ODD = ["\x00", "\ud83d", "\udc4b", "👋", "🏴\U000e0067\U000e007f", "\u200d", "\u202e", "\u0301"]


@given(
    st.lists(
        st.sampled_from([*PLAIN, *MARKS, *ODD, " ", " ", " ", "\n", ". ", ", "])
        | st.characters(categories=["L", "M", "N", "P", "S", "Z", "C"]),
        max_size=60,
    ),
    st.integers(1, 30),
)
def test_whatever_a_model_writes_the_voice_is_asked_for_what_it_can_say(
    parts: list[str], by: int
) -> None:
    text = "".join(parts)
    chunks = [text[start : start + by] for start in range(0, len(text), by)]
    hummer = Hummer()
    asyncio.run(_say(hummer, chunks))
    for piece in hummer.texts:
        piece.encode()
        assert is_speakable(piece)
        assert len(piece) <= LONGEST
    left_out = ("|", "`", "~", "<", "[", "http", "www.")  # code, links, addresses, struck words
    if not any(mark in text for mark in left_out):
        assert _letters("".join(hummer.texts)) == _letters(text)


@given(st.text(alphabet=st.characters(categories=["L", "M", "N", "P", "Z"]), min_size=1000))
@settings(max_examples=30)
def test_the_first_piece_is_asked_for_before_a_long_answer_is_there(text: str) -> None:
    within = LONGEST_HELD + LONGEST_FIRST + 10
    if not is_speakable(text[:50]):
        return
    hummer = Hummer()

    async def begin() -> None:
        async with prompt(hummer).stream() as speech:
            async for said in in_spoken_form(pieces("word " + text[:within])):
                speech.push_text(said)
            await asyncio.wait_for(anext(speech), 10)

    asyncio.run(begin())
    assert hummer.texts


async def _say(hummer: Hummer, chunks: list[str]) -> None:
    """The way of an answer in a call: `Assistant.llm_node`, the session's transform, the voice."""
    left = Reasoning().without(pieces(*chunks))
    await spoken(prompt(hummer), in_spoken_form(str(chunk) async for chunk in left))


def _letters(text: str) -> str:
    """The letters and digits of a text that can be sent."""
    return "".join(
        letter for letter in text if letter.isalnum() and unicodedata.category(letter) != "Cs"
    )
