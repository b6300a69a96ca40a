"""Who has the floor, whatever the order of events, and whatever is lost: a thousand histories."""

from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.call.takeover.protocol import (
    VERSION,
    Do,
    Giving,
    Predecessor,
    Successor,
    Taking,
    common_version,
    shown,
)

LATER = VERSION + 1


def accepted() -> Predecessor:
    """A predecessor that has accepted `new`."""
    old = Predecessor()
    assert old.must_hand_over() == [Do.SHOW, Do.ASK]
    assert old.joined("new") == []
    assert old.offers("new", VERSION)
    return old


def giving() -> Predecessor:
    old = accepted()
    assert old.at_boundary() == [Do.SEND_STATE]
    return old


@pytest.mark.parametrize(
    ("attribute", "version"),
    [("1", 1), ("1,2", 1), ("2", None), ("", None), ("x,1", 1), (shown(), VERSION)],
)
def test_the_newest_version_that_both_speak_counts(attribute: str, version: int | None) -> None:
    assert common_version(attribute) == version


def test_of_two_versions_the_newer_one_is_spoken() -> None:
    assert common_version("1,2,3", spoken=(1, 2)) == 2


def test_a_call_goes_over_when_everybody_answers() -> None:
    old, new = accepted(), Successor()
    assert new.hears() == [Do.OFFER]
    assert new.accepted() == []
    assert old.at_boundary() == [Do.SEND_STATE]
    assert new.got_state(old.number) == [Do.TAKE]
    assert old.takes("new", old.number) == (True, [Do.LEAVE])
    assert not old.has_floor
    assert not new.has_floor
    assert new.given(old.number) == [Do.ANSWER]
    assert new.has_floor


def test_it_is_asked_for_once_and_again_only_while_nobody_comes() -> None:
    old = Predecessor()
    assert old.nobody_came() == []
    old.must_hand_over()
    assert old.must_hand_over() == []
    assert old.nobody_came() == [Do.ASK]
    old.joined("new")
    assert old.nobody_came() == []
    assert old.left("new") == []
    assert old.nobody_came() == [Do.ASK]


def test_an_agent_that_comes_before_the_worker_stops_is_no_candidate() -> None:
    old = Predecessor()
    assert old.joined("new") == []
    old.must_hand_over()
    assert old.nobody_came() == [Do.ASK]


def test_one_successor_is_accepted_and_asked_twice_it_is_still_the_one() -> None:
    old = accepted()
    assert old.offers("new", VERSION)
    assert not old.offers("other", VERSION)


def test_an_unknown_version_is_refused_and_another_agent_may_still_come() -> None:
    old = Predecessor()
    assert not old.offers("new", VERSION)
    old.must_hand_over()
    assert not old.offers("new", LATER)
    assert old.offers("other", VERSION)
    assert old.version == VERSION


def test_a_version_that_only_the_older_side_speaks_is_used() -> None:
    old = Predecessor(spoken=(1, 2))
    old.must_hand_over()
    assert old.offers("new", 1)
    assert old.version == 1


def test_nothing_is_given_to_somebody_else_or_by_an_old_state() -> None:
    old = giving()
    assert old.takes("other", old.number) == (False, [])
    assert old.takes("new", old.number - 1) == (False, [])
    assert old.has_floor


def test_the_answer_stays_the_same_when_it_is_asked_for_again() -> None:
    old = giving()
    old.takes("new", old.number)
    assert old.takes("new", old.number) == (True, [])


def test_a_successor_that_is_silent_has_lost_its_chance_until_the_next_boundary() -> None:
    old = giving()
    first = old.number
    assert old.at_boundary() == []
    assert old.no_answer(first - 1) == []
    assert old.no_answer(first) == [Do.HEAR_ON]
    assert old.no_answer(first) == []
    assert old.takes("new", first) == (False, [])
    assert old.at_boundary() == [Do.SEND_STATE]
    assert old.number > first
    assert old.takes("new", old.number) == (True, [Do.LEAVE])


def test_a_successor_that_dies_is_replaced_by_another() -> None:
    old = accepted()
    assert old.left("stranger") == []
    assert old.left("new") == [Do.ASK]
    assert old.state is Giving.ASKING
    assert old.offers("other", VERSION)


def test_a_successor_that_dies_with_the_state_lets_the_predecessor_go_on() -> None:
    old = giving()
    assert old.left("new") == [Do.HEAR_ON, Do.ASK]
    assert old.has_floor


def test_a_successor_that_leaves_with_the_call_is_no_business_of_the_predecessor() -> None:
    old = giving()
    old.takes("new", old.number)
    assert old.left("new") == []
    assert old.state is Giving.GONE


def test_when_the_time_is_up_the_call_stays_and_nobody_gets_it() -> None:
    old = accepted()
    assert old.time_is_up() == [Do.HIDE]
    assert not old.offers("new", VERSION)
    assert old.at_boundary() == []
    assert old.left("new") == []


def test_a_call_that_is_being_given_is_still_given_when_the_time_is_up() -> None:
    old = giving()
    assert old.time_is_up() == []
    assert old.takes("new", old.number) == (True, [Do.LEAVE])


def test_a_call_that_is_late_and_not_taken_stays() -> None:
    old = giving()
    old.time_is_up()
    assert old.no_answer(old.number) == [Do.HEAR_ON, Do.HIDE]
    assert old.state is Giving.STAYS


def test_a_late_call_whose_successor_dies_stays() -> None:
    old = giving()
    old.time_is_up()
    assert old.left("new") == [Do.HEAR_ON, Do.HIDE]


def test_a_call_whose_state_cannot_be_taken_stays() -> None:
    old = giving()
    assert old.cannot_give() == [Do.HEAR_ON, Do.HIDE]
    assert old.cannot_give() == []
    assert accepted().cannot_give() == [Do.HIDE]


def test_a_successor_asks_again_until_it_is_answered() -> None:
    new = Successor()
    assert new.unheard() == []
    assert new.accepted() == []
    new.hears()
    assert new.hears() == []
    assert new.unheard() == [Do.OFFER]
    assert new.leaves() == [Do.LEAVE]
    assert new.leaves() == []


def test_the_state_may_come_before_the_answer_to_the_offer() -> None:
    new = Successor()
    assert new.got_state(1) == []
    new.hears()
    assert new.got_state(1) == [Do.TAKE]
    assert new.accepted() == []
    assert new.state is Taking.TAKING


def test_a_state_that_is_refused_is_forgotten_and_a_later_one_is_taken() -> None:
    new = Successor()
    new.hears()
    new.got_state(1)
    assert new.refused(0) == []
    assert new.refused(1) == [Do.FORGET]
    assert new.given(1) == []
    assert new.got_state(1) == []
    assert new.got_state(3) == [Do.TAKE]
    assert new.given(2) == []
    assert new.given(3) == [Do.ANSWER]


@pytest.mark.parametrize(("in_order", "todo"), [(True, Do.LEAVE), (False, Do.REPLACE)])
def test_without_the_state_it_replaces_an_agent_that_dies_and_follows_one_that_leaves(
    in_order: bool, todo: Do
) -> None:
    new = Successor()
    new.hears()
    new.accepted()
    assert new.predecessor_left(in_order=in_order) == [todo]
    assert new.predecessor_left(in_order=in_order) == []


@pytest.mark.parametrize("in_order", [True, False])
def test_with_the_state_it_answers_when_the_predecessor_is_gone(in_order: bool) -> None:
    new = Successor()
    new.hears()
    new.got_state(1)
    assert new.keeps() == []
    assert new.predecessor_left(in_order=in_order) == [Do.ANSWER]


def test_a_predecessor_that_keeps_its_call_sends_its_successor_away() -> None:
    new = Successor()
    new.hears()
    assert new.keeps() == [Do.LEAVE]
    assert not new.has_floor


@dataclass
class Room:
    """One predecessor, its successors one after the other, and what is on its way between them;
    words of the caller, and who has answered to each."""

    old: Predecessor = field(default_factory=Predecessor)
    new: dict[str, Successor] = field(default_factory=dict)
    on_way: list[tuple[str, str, int]] = field(default_factory=list)
    """(kind, the successor, the state's number)"""
    is_old_alive: bool = True
    is_open: bool = True
    """Whether the predecessor hears."""
    said: int = 0
    heard: dict[int, str] = field(default_factory=dict)
    waiting: list[int] = field(default_factory=list)
    """Words that the predecessor has not let in."""
    cuts: dict[int, int] = field(default_factory=dict)
    """How many words each state has."""
    asks: int = 0
    deaths: int = 0

    def say(self) -> None:
        self.said += 1
        word = self.said
        if self.is_old_alive and self.old.has_floor and self.is_open:
            self._hear(word, "old")
        elif self.is_old_alive and self.old.has_floor:
            self.waiting.append(word)
        for name, each in self.new.items():
            if each.has_floor:
                self._hear(word, name)

    def _hear(self, word: int, who: str) -> None:
        assert word not in self.heard, "a word is answered twice"
        self.heard[word] = who

    def old_does(self, todo: list[Do]) -> None:
        for each in todo:
            if each is Do.SEND_STATE:
                self.is_open = False
                self.cuts[self.old.number] = self.said
                self.on_way.append(("state", self.old.successor or "", self.old.number))
            elif each is Do.HEAR_ON:
                self.is_open = True
                for word in self.waiting:
                    self._hear(word, "old")
                self.waiting.clear()
            elif each is Do.ASK:
                self.asks += 1
            elif each is Do.HIDE:
                self.on_way += [("keeps", name, 0) for name in self.new]

    def new_does(self, name: str, todo: list[Do]) -> None:
        for each in todo:
            if each is Do.OFFER:
                self.on_way.append(("offer", name, 0))
            elif each is Do.TAKE:
                self.on_way.append(("take", name, self.new[name].number))
            elif each is Do.ANSWER:
                for word in range(self.cuts[self.new[name].number] + 1, self.said + 1):
                    self._hear(word, name)
            elif each is Do.LEAVE:
                del self.new[name]
                if self.is_old_alive:
                    self.old_does(self.old.left(name))

    def come(self) -> None:
        """One that finds two of our agents in the room leaves at once (`people.presence`)."""
        if self.asks and self.is_old_alive and not self.new:
            self.asks -= 1
            name = f"new {self.asks} {len(self.new)} {self.said} {self.deaths}"
            self.new[name] = Successor()
            self.old.joined(name)
            self.new_does(name, self.new[name].hears())

    def deliver(self, at: int, *, is_lost: bool) -> None:
        """Whatever is on its way arrives, or is lost; a question that is lost is asked again."""
        if not self.on_way:
            return
        kind, name, number = self.on_way.pop(at % len(self.on_way))
        new = self.new.get(name)
        if kind in ("offer", "take") and new and self.is_old_alive and not is_lost:
            if kind == "offer":
                self.on_way.append(("yes" if self.old.offers(name, VERSION) else "no", name, 0))
            else:
                is_given, todo = self.old.takes(name, number)
                self.on_way.append(("given" if is_given else "refused", name, number))
                self.old_does(todo)
        elif new and is_lost:
            if kind in ("offer", "yes", "no"):
                self.new_does(name, new.unheard())
            elif kind in ("take", "given", "refused") and new.state is Taking.TAKING:
                self.on_way.append(("take", name, new.number))
            elif kind == "keeps":  # an attribute: the server shows it sooner or later
                self.on_way.append((kind, name, number))
        elif new:
            answers = {
                "yes": new.accepted,
                "no": new.leaves,
                "keeps": new.keeps,
                "state": lambda: new.got_state(number),
                "given": lambda: new.given(number),
                "refused": lambda: new.refused(number),
            }
            if kind in answers:
                self.new_does(name, answers[kind]())

    def old_leaves(self, *, in_order: bool) -> None:
        """The predecessor is gone: killed, or in order."""
        if self.is_old_alive:
            self.is_old_alive = False
            for name in [*self.new]:
                self.new_does(name, self.new[name].predecessor_left(in_order=in_order))

    def new_dies(self, at: int) -> None:
        if self.new:
            name = [*self.new][at % len(self.new)]
            self.deaths += 1
            del self.new[name]
            if self.is_old_alive:
                self.old_does(self.old.left(name))

    def floors(self) -> list[str]:
        holders = [name for name, each in self.new.items() if each.has_floor]
        if self.is_old_alive and self.old.has_floor:
            holders.append("old")
        return holders

    def settle(self) -> None:
        """Nothing is lost or dies any more."""
        for _ in range(200):
            if self.is_old_alive and not self.old.has_floor:
                self.old_leaves(in_order=True)
            elif self.on_way:
                self.deliver(0, is_lost=False)
            elif self.is_old_alive and self.old.state is Giving.GIVING:
                self.old_does(self.old.no_answer(self.old.number))
            elif self.is_old_alive and self.old.state is Giving.ACCEPTED:
                self.old_does(self.old.at_boundary())
            elif self.is_old_alive and self.old.state is Giving.ASKING:
                self.old_does(self.old.nobody_came())
                self.come()
            else:
                return


EVENTS = st.sampled_from(
    [
        *(["say", "boundary"] * 2),
        *(["deliver"] * 3),
        *("come", "lose", "no-answer", "nobody", "late", "new-dies", "left"),
    ]
)


def happen(room: Room, event: str, at: int) -> None:
    match event:
        case "say":
            room.say()
        case "come":
            room.come()
        case "deliver" | "lose":
            room.deliver(at, is_lost=event == "lose")
        case "new-dies":
            room.new_dies(at)
        case "left" if not room.old.has_floor:
            room.old_leaves(in_order=True)
        case _ if room.is_old_alive:
            todo = {
                "boundary": room.old.at_boundary,
                "no-answer": lambda: room.old.no_answer(room.old.number),
                "nobody": room.old.nobody_came,
                "late": room.old.time_is_up,
            }
            if event in todo:
                room.old_does(todo[event]())


HISTORIES = st.lists(st.tuples(EVENTS, st.integers(0, 7)), max_size=60)


@given(HISTORIES)
@settings(max_examples=80, deadline=None)
def test_never_two_have_the_floor_and_no_word_is_lost_or_answered_twice(
    history: list[tuple[str, int]],
) -> None:
    room = Room()
    room.old_does(room.old.must_hand_over())
    for event, at in history:
        happen(room, event, at)
        assert len(room.floors()) <= 1
    deaths = room.deaths
    room.settle()
    room.say()
    assert len(room.floors()) == 1 or deaths
    if not deaths:
        assert set(room.heard) == set(range(1, room.said + 1))


@given(HISTORIES, st.integers(0, 59))
@settings(max_examples=100, deadline=None)
def test_if_the_predecessor_is_killed_at_any_moment_at_most_one_agent_answers(
    history: list[tuple[str, int]], when: int
) -> None:
    room = Room()
    room.old_does(room.old.must_hand_over())
    for number, (event, at) in enumerate(history):
        if number == when:
            room.old_leaves(in_order=False)
        if event not in ("new-dies", "left"):
            happen(room, event, at)
        assert len(room.floors()) <= 1
    if not room.is_old_alive and room.new:
        assert len(room.floors()) == 1
