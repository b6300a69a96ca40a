"""A reply is spoken from its first clause on, and nothing of it is lost."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st
from livekit.agents import DEFAULT_API_CONNECT_OPTIONS, APIConnectOptions, tts

from agent.call.first_clause import ClauseFirst, Pieces, PromptVoice, first_clause_end

PIECES = [
    "Of course, I can book that for you,",
    " one moment please, I will look at the book.",
    " It is seven o'clock now.",
    " Shall I go on?",
]
REPLY = "".join(PIECES)


def spoken(text: str, *, least_chars: int = 20, by: int = 4) -> list[tuple[int, str]]:
    """Each piece, with how many characters had been thought of by then."""
    pieces = Pieces(least_chars)
    found = [
        (start + by, piece)
        for start in range(0, len(text), by)
        for piece in pieces.push(text[start : start + by])
    ]
    return found + [(len(text), piece) for piece in pieces.flush()]


def test_the_first_clause_is_spoken_before_its_sentence_is_there() -> None:
    thought_of, first = spoken(REPLY)[0]
    assert first == "Of course, I can book that for you,"
    assert thought_of < len(first) + 4


def test_what_follows_comes_in_sentences() -> None:
    assert [piece for _, piece in spoken(REPLY)] == PIECES


@pytest.mark.parametrize(
    ("text", "clause"),
    [
        ("Certainly, I will look. Now", "Certainly, I will look."),
        ("Hello, this is Dr. Smith speaking, how", "Hello, this is Dr. Smith speaking,"),
        ("We open at 10:30 a.m. on Mondays, and", "We open at 10:30 a.m. on Mondays,"),
        ("It costs about 1,250.50 in all: that", "It costs about 1,250.50 in all:"),
        ("That would be seven. And", "That would be seven."),
        ("That is a good question — let", "That is a good question —"),
        ('He said "come at seven." Then', 'He said "come at seven."'),
        ("好的\uff0c我马上为您查询\uff0c请", "好的\uff0c我马上为您查询\uff0c"),
        ("Ja, das kann ich gern tun; wann", "Ja, das kann ich gern tun;"),
    ],
)
def test_a_clause_ends_at_a_mark_that_ends_one(text: str, clause: str) -> None:
    end = first_clause_end(text, 20)
    assert end is not None
    assert text[:end] == clause


@pytest.mark.parametrize("text", ["", "Yes, sure, ok, no", "I am not sure what you mean by that"])
def test_a_short_or_unfinished_clause_waits(text: str) -> None:
    assert first_clause_end(text, 20) is None


def test_a_short_reply_is_spoken_when_it_is_complete() -> None:
    assert spoken("It is seven.") == [(12, "It is seven.")]


@given(
    text=st.text(alphabet="ab 1.,!?\n。", max_size=200),
    cuts=st.lists(st.integers(0, 200), max_size=20),
)
def test_nothing_is_lost_added_or_changed(text: str, cuts: list[int]) -> None:
    pieces = Pieces(20)
    bounds = [0, *sorted(min(cut, len(text)) for cut in cuts), len(text)]
    found = [p for a, b in itertools.pairwise(bounds) for p in pieces.push(text[a:b])]
    assert "".join([*found, *pieces.flush()]).split() == text.split()


async def test_a_stream_gives_each_piece_as_soon_as_it_is_complete() -> None:
    stream = ClauseFirst(20).stream()
    stream.push_text("Of course, I can book that for you, ")
    assert (await anext(stream)).token == PIECES[0]
    stream.push_text(REPLY[len(PIECES[0]) + 1 :])
    stream.end_input()
    assert [token.token async for token in stream] == PIECES[1:]


class Humming(tts.ChunkedStream):
    """A tenth of a second of sound for every text."""

    async def _run(self, output_emitter: tts.AudioEmitter) -> None:
        output_emitter.initialize(
            request_id="hum", sample_rate=16_000, num_channels=1, mime_type="audio/pcm"
        )
        output_emitter.push(bytes(3200))
        output_emitter.flush()


class Hummer(tts.TTS[str]):
    """A voice that takes whole texts, and remembers them."""

    def __init__(self) -> None:
        capabilities = tts.TTSCapabilities(streaming=False)
        super().__init__(capabilities=capabilities, sample_rate=16_000, num_channels=1)
        self.texts: list[str] = []

    def synthesize(
        self, text: str, *, conn_options: APIConnectOptions = DEFAULT_API_CONNECT_OPTIONS
    ) -> tts.ChunkedStream:
        self.texts.append(text)
        return Humming(tts=self, input_text=text, conn_options=conn_options)


async def test_a_voice_is_given_the_first_clause_and_tells_the_first_sound_once() -> None:
    hummer = Hummer()
    told: list[int] = []
    voice = PromptVoice(hummer, least_chars=20, on_first_sound=lambda: told.append(len(told)))
    async with voice.stream() as speech:
        speech.push_text(PIECES[0] + " ")
        first = await anext(speech)
        assert (hummer.texts, told) == ([PIECES[0]], [0])
        speech.push_text(REPLY[len(PIECES[0]) + 1 :])
        speech.end_input()
        duration = first.frame.duration + sum([audio.frame.duration async for audio in speech])
    assert hummer.texts == [piece.strip() for piece in PIECES]
    assert duration >= 0.1 * len(PIECES)
    assert told == [0]
