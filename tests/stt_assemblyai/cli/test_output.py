"""What the program prints of a stream."""

import json

import pytest

from stt_assemblyai.cli.output import Output, as_json, as_text, end_as_json, visible
from stt_assemblyai.errors import NetworkError
from stt_assemblyai.events import EndOfSpeech, Final, Interim, Interrupted, Opened, SessionUsage
from stt_assemblyai.transcript import SpokenWord, Transcript

WORDS = (
    SpokenWord("Grüezi", 100, 400, 0.9, final=True, speaker=None),
    SpokenWord("mitenand.", 450, 900, 0.8, final=True, speaker=None),
)
TURN = Transcript("s1", 0, "Grüezi mitenand.", WORDS, formatted=True, language="de")
USAGE = (
    SessionUsage("s1", "start", 3.5, False, 2.0, 0.0),
    SessionUsage("s2", "NetworkError", 1.25, True, 1.0, 0.5),
)
Captured = pytest.CaptureFixture[str]


def page(style: str = "text") -> Output:
    return Output(style, lambda code: None, seconds=None)


def test_only_finals_are_on_standard_output(capsys: Captured) -> None:
    printed = page()
    printed.write(Interim(TURN))
    printed.write(EndOfSpeech(900))
    printed.write(Final(TURN))
    printed.heard(1000)
    printed.end(1000, USAGE)
    assert capsys.readouterr() == ("Grüezi mitenand.\n", "")


def test_what_an_operator_should_know_is_on_standard_error(capsys: Captured) -> None:
    printed = page()
    printed.write(Opened("s1", None, ()))
    printed.write(Opened("s1", None, ("model: asked for a, given b",)))
    printed.write(Interrupted(NetworkError("The network is away"), 1.5, 0))
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines() == [
        "The service did not take as asked: model: asked for a, given b.",
        "The network is away. Trying again in 1.5 s.",
    ]


def test_a_line_names_the_speaker_if_speakers_are_labelled() -> None:
    labelled = Transcript("s1", 0, "Hi.", WORDS, speaker="A")
    assert (as_text(labelled), as_text(TURN)) == ("A: Hi.", "Grüezi mitenand.")


def test_a_json_line_has_times_words_and_the_session() -> None:
    line = json.loads(as_json(TURN))
    assert (line["type"], line["text"], line["session_id"]) == ("turn", TURN.text, "s1")
    assert (line["start_ms"], line["end_ms"], line["language"]) == (100, 900, "de")
    assert line["words"][0] == {
        "text": "Grüezi",
        "start_ms": 100,
        "end_ms": 400,
        "confidence": 0.9,
        "speaker": None,
    }


def test_the_last_json_line_says_what_was_heard_and_billed(capsys: Captured) -> None:
    page("jsonl").end(3000, USAGE)
    assert (
        json.loads(capsys.readouterr().out)
        == json.loads(end_as_json(3000, USAGE))
        == {
            "type": "end",
            "audio_seconds": 3.0,
            "billed_seconds": 4.75,
            "estimated": True,
            "sessions": {"start": 1, "NetworkError": 1},
        }
    )


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain 好", "plain 好"),
        ("\x1b[2Jgone", "\\u001b[2Jgone"),
        ("a\nb\u2028c", "a\\u000ab\\u2028c"),
        ("\u202eright to left", "\\u202eright to left"),
    ],
)
def test_what_a_terminal_would_obey_is_made_visible(text: str, shown: str) -> None:
    assert visible(text) == shown
