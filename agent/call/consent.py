"""Asks the caller whether the call may be recorded, before anything else is said.

The answer is the caller's first turn. If it only agrees or refuses, the greeting follows. If it
says more, it is answered like any turn. Silence for `ANSWER_SECONDS`, or a turn that does neither,
counts as `none`: the call is recorded, as the caller was told.
"""

import asyncio
import contextlib
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Literal

from livekit.agents import AgentSession, ChatMessage, ConversationItemAddedEvent

from agent.call.history.marked import mark_of
from config.phrases import Phrases, Words, words_of

Answer = Literal["yes", "no", "none"]

ANSWER_SECONDS = 6.0
"""How long the caller may think after the question."""
AGAIN_SECONDS = 1.0
"""How often to look whether a caller has stopped who spoke at the end of that."""
LONGEST_ANSWER = 8
"""Words; who says more has begun to talk."""


_BETWEEN_CLAUSES = re.compile(r"[,.;:!?…\u2013\u2014¿¡،؟।、。\uff0c\uff1b\uff1a\uff01\uff1f]")


def answer_in(text: str, phrases: Phrases, all_languages: Iterable[Phrases] = ()) -> Answer:
    """What this text answers. Of phrases that overlap the longest counts, and one that refuses wins
    over all that agree.

    `phrases` are those of the caller's language, as far as it is known. In any other, a clause that
    only refuses counts ("Okay, nein danke."): its single words may mean something else here.
    """
    found = list(_found(words_of(text), phrases))
    clauses = [words_of(clause) for clause in _BETWEEN_CLAUSES.split(text)]
    if "no" in found or any(
        _only_refuses(clause, each) for each in all_languages for clause in clauses
    ):
        return "no"
    return "yes" if found else "none"


def _only_refuses(words: Words, phrases: Phrases) -> bool:
    """Whether these words refuse, perhaps with thanks, and say nothing else."""
    known = phrases.refuses | phrases.agrees | phrases.acknowledgements | phrases.courtesies
    position = 0
    while length := _longest(words[position:], known):
        position += length
    return position == len(words) and "no" in _found(words, phrases)


def _found(words: Words, phrases: Phrases) -> Iterator[Answer]:
    """What each phrase in these words means, from the first to the last."""
    position = 0
    while position < len(words):
        agrees = _longest(words[position:], phrases.agrees)
        refuses = _longest(words[position:], phrases.refuses)
        if agrees or refuses:
            yield "yes" if agrees > refuses else "no"
        position += max(agrees, refuses, 1)


def _longest(words: Sequence[str], phrases: frozenset[Words]) -> int:
    """How many words the longest of these phrases has with which the words begin; 0 for none."""
    return max((len(each) for each in phrases if tuple(words[: len(each)]) == each), default=0)


class Consent:
    """For one call: asks, hears the answer, then has the caller greeted."""

    def __init__(
        self,
        session: AgentSession[Any],
        question: str,
        judge: Callable[[str], Answer],
        on_answer: Callable[[Answer], None],
    ) -> None:
        """`judge` tells what words answer: see `answer_in`."""
        self.question = question
        self._session = session
        self._judge = judge
        self._on_answer = on_answer
        self._greet: Callable[[], None] | None = None
        self._timer: asyncio.TimerHandle | None = None

    @property
    def is_asking(self) -> bool:
        """Whether the caller's answer is awaited."""
        return self._greet is not None

    def ask(self, greet: Callable[[], None]) -> None:
        """Ask. `greet` is called when there is an answer, or none will come; not if the caller
        has begun to talk already."""
        self._greet = greet
        self._session.say(self.question).add_done_callback(lambda _: self._wait(ANSWER_SECONDS))

    def take(self, text: str) -> bool:
        """The caller's turn is over. Returns whether it was the answer and nothing more."""
        if self._greet is None:
            return False
        answer = self._judge(text)
        is_all = answer != "none" and len(words_of(text)) <= LONGEST_ANSWER
        self._settle(answer, greets=is_all)
        return is_all

    def on_item_added(self, event: ConversationItemAddedEvent) -> None:
        """Something is in the history that was no spoken turn: typed words, or a "yes" over the
        question, which is taken for a backchannel and gets no answer of its own."""
        item = event.item
        if self._greet and isinstance(item, ChatMessage) and item.role == "user":
            answer = self._judge(item.text_content or "")
            if answer != "none":
                self._settle(answer, greets=mark_of(item) is not None)

    def _wait(self, seconds: float) -> None:
        if self._greet and self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(seconds, self._late)

    def _late(self) -> None:
        self._timer = None
        if self._session.user_state == "speaking":
            self._wait(AGAIN_SECONDS)
        elif self._greet:
            self._settle("none", greets=True)

    def _settle(self, answer: Answer, *, greets: bool) -> None:
        greet, self._greet = self._greet, None
        if self._timer:
            self._timer.cancel()
            self._timer = None
        self._on_answer(answer)
        if greet and greets:
            with contextlib.suppress(RuntimeError):  # the session has closed meanwhile
                greet()
