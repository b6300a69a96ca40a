"""Actions are values: equal if they say the same, so that a scenario is a comparison of lists."""

from stt_assemblyai.actions import Action, Close, Connect, Emit, Send, StreamConfig
from stt_assemblyai.endpointing import TurnChoices
from stt_assemblyai.events import NothingToEnd, Overdue
from stt_assemblyai.options import SessionOptions
from stt_assemblyai.timing import Timing


def test_actions_of_different_kinds_are_told_apart_by_their_type() -> None:
    actions: list[Action] = [Connect(1, "a=1"), Send(1, b"\0\0"), Emit(Overdue()), Close(1)]
    told = []
    for action in actions:
        match action:
            case Connect(key, query):
                told.append(("connect", key, query))
            case Send(key, frame):
                told.append(("send", key, frame))
            case Emit(event):
                told.append(("emit", event))
            case Close(key):
                told.append(("close", key))
    assert told == [
        ("connect", 1, "a=1"),
        ("send", 1, b"\0\0"),
        ("emit", Overdue()),
        ("close", 1),
    ]


def test_events_without_fields_are_told_apart_too() -> None:
    assert Emit(Overdue()) == Emit(Overdue()) != Emit(NothingToEnd())


def test_a_config_needs_options_only() -> None:
    config = StreamConfig(SessionOptions())
    assert (config.choices, config.timing) == (TurnChoices(), Timing())
