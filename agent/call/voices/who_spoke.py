"""Attributes words to their speakers when several people talk with the agent.

The model reads `Ann: five, please.` A message in the session's history may hold the words of
several people. Its `extra` says who said which of them, and the record has the same.
"""

import re
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from livekit.agents import ChatMessage

LONGEST_NAME = 40
_NOT_IN_NAMES = re.compile(r"[^\w .'-]")
_FIELD = "said_by"
_REMEMBERED = 50


@dataclass(frozen=True, slots=True)
class Line:
    """What one person said. `speaker` is their identity, `name` the one that the model reads."""

    speaker: str
    name: str
    text: str

    @property
    def for_model(self) -> str:
        """The line as the model reads it."""
        return f"{self.name}: {self.text}"


@dataclass(frozen=True, slots=True)
class Person:
    """One of several speakers. `name` is the one that the model reads."""

    identity: str
    name: str

    def line(self, text: str) -> Line:
        """These words, said by this person."""
        return Line(self.identity, self.name, text)


class SpeakerNames:
    """The people of a call. Each keeps the name that they had at first.

    Participants choose their own names. If a name is taken already, the identity is added to it.
    """

    def __init__(self) -> None:
        self._people: dict[str, Person] = {}  # by identity

    def person(self, identity: str, name: str = "") -> Person:
        """The person with this identity. `name`: the participant's name in the room."""
        if identity not in self._people:
            plain = " ".join(_NOT_IN_NAMES.sub(" ", name).split())[:LONGEST_NAME] or identity
            is_taken = any(each.name == plain for each in self._people.values())
            self._people[identity] = Person(
                identity, f"{plain} ({identity})" if is_taken else plain
            )
        return self._people[identity]


class Attribution:
    """Finds who said what in a message: the session joins lines that come soon after each other."""

    def __init__(self) -> None:
        self._lines: deque[Line] = deque(maxlen=_REMEMBERED)

    def note(self, line: Line) -> str:
        """Remember a line that goes to the session. Returns it as the model reads it."""
        self._lines.append(line)
        return line.for_model

    def unnamed(self, text: str) -> str:
        """A text of such lines, without the names."""
        for line in self._lines:
            text = text.replace(line.for_model, line.text, 1)
        return text

    def mark(self, message: ChatMessage) -> None:
        """Note in a message of the history which lines it is made of."""
        rest = (message.text_content or "").strip()
        found = []
        for line in list(self._lines):
            if rest.startswith(line.for_model):
                rest = rest[len(line.for_model) :].lstrip()
                found.append(line)
                self._lines.remove(line)
        if found and not rest:
            set_lines(message, found)


def set_lines(message: ChatMessage, lines: Sequence[Line]) -> None:
    """Make a message of these lines."""
    message.content = [" ".join(line.for_model for line in lines)]
    message.extra[_FIELD] = [
        {"speaker": line.speaker, "name": line.name, "text": line.text} for line in lines
    ]


def lines_of(message: ChatMessage) -> list[Line]:
    """Who said what in a message; empty if the agent hears only one caller."""
    return [Line(**each) for each in message.extra.get(_FIELD, ())]


def turns_of(message: ChatMessage) -> list[Mapping[str, Any]]:
    """A message as turns of the record: one for each line."""
    shared = {"role": message.role}
    return [
        {**shared, "text": line.text, "speaker": line.speaker, "name": line.name}
        for line in lines_of(message)
    ] or [{**shared, "text": message.text_content or ""}]
