"""When a room is looked into, and what it needs by what is seen there."""

from collections.abc import Sequence

import pytest
from livekit.protocol import agent as jobs
from livekit.protocol import agent_dispatch, models

from agent.call.people.need import Need
from agent.call.people.participants import AgentRole
from agent.fleet.presence import Agent
from agent.room_names import HOLD_IDENTITY, Attribute
from agent.worker.rooms import (
    LOOKS_AT_ONCE,
    SETTLED_PER_SECOND,
    SETTLED_SECONDS,
    UNHEARD_SECONDS,
    WAITING_SECONDS,
    Room,
    Rooms,
    Sight,
    Verdict,
    nobody_was_free,
)

PATIENCE_SECONDS = 5.0
CALLER = models.ParticipantInfo(
    identity="caller", permission=models.ParticipantPermission(can_publish=True)
)
LISTENER = models.ParticipantInfo(identity="listener")
AGENT = models.ParticipantInfo(
    identity="agent",
    kind=models.ParticipantInfo.AGENT,
    attributes={Attribute.ROLE: AgentRole.ANSWERS},
)
HOLD = models.ParticipantInfo(identity=HOLD_IDENTITY, kind=models.ParticipantInfo.AGENT)
OURS = Agent(room="room", identity="agent")


def asked(name: str = "", *states: "jobs.JobStatus.ValueType") -> agent_dispatch.AgentDispatch:
    """A request for an agent, and what became of it."""
    found = [jobs.Job(state=jobs.JobState(status=state)) for state in states]
    return agent_dispatch.AgentDispatch(
        id=name or "own", agent_name=name, state=agent_dispatch.AgentDispatchState(jobs=found)
    )


ON_THE_WAY = asked("", jobs.JS_RUNNING)


def rooms(*, jitter_seconds: float = 0.0, tells: bool = True) -> Rooms:
    need = Need(tells_to_wait=tells)
    return Rooms(need, PATIENCE_SECONDS, lambda seconds: seconds, lambda: jitter_seconds)


def room(
    name: str = "room", people: int = 1, publishers: int = 0, *, sid: str = "", made: int = 0
) -> models.Room:
    return models.Room(
        name=name,
        sid=sid or f"RM_{name}",
        num_participants=people,
        num_publishers=publishers,
        creation_time_ms=made,
    )


def due(known: Rooms, now: float) -> list[str]:
    return [each.name for each in known.due(now)]


def look(
    known: Rooms,
    now: float,
    *people: models.ParticipantInfo,
    requests: Sequence[agent_dispatch.AgentDispatch] = (ON_THE_WAY,),
    has_place: bool = True,
) -> Verdict:
    """Look into the only room that is due."""
    (found,) = known.due(now)
    return known.seen(found, Sight(people, requests), now, has_place=has_place)


def test_new_rooms_are_looked_into_first_come_first_served_and_empty_ones_last() -> None:
    known = rooms()
    moved = known.listed([room("c", 0, made=1), room("b", made=3), room("a", made=2)], 0.0)
    assert moved == {"a", "b", "c"}
    assert due(known, 0.0) == ["a", "b", "c"]


def test_where_somebody_waits_is_looked_into_before_all_others() -> None:
    known = rooms()
    known.listed([room("waits", made=9)], 0.0)
    look(known, 0.0, CALLER)
    listed = [room("waits", made=9), *(room(str(each)) for each in range(2 * LOOKS_AT_ONCE))]
    known.listed(listed, 1.0)
    assert due(known, 1.0)[0] == "waits"
    assert len(due(known, 1.0)) == LOOKS_AT_ONCE


def test_a_room_is_looked_into_again_when_somebody_comes_or_goes_or_publishes() -> None:
    known = rooms()
    known.alive(frozenset([OURS]), 0.0)
    known.listed([room(people=1)], 0.0)
    for now, counts, moved in ((1.0, (2, 0), {"room"}), (2.0, (2, 1), set()), (3.0, (2, 1), set())):
        assert known.listed([room("room", *counts)], now) == moved
        if now < 3.0:
            assert look(known, now, CALLER, AGENT) is Verdict.NOTHING
    assert due(known, 1000.0) == []


def test_a_room_with_an_agent_that_lives_is_not_looked_into_at_first_sight() -> None:
    known = rooms()
    known.alive(frozenset([OURS]), 0.0)
    known.listed([room(), room("another")], 0.0)
    assert due(known, 0.0) == ["another"]


def test_a_room_is_looked_into_when_nobody_says_any_longer_that_its_agent_lives() -> None:
    known = rooms()
    known.alive(frozenset([OURS]), 0.0)
    known.listed([room()], 0.0)
    assert known.alive(frozenset(), 1.0) == {OURS}
    assert due(known, 1.0) == ["room"]


def test_a_room_is_looked_into_when_a_webhook_names_it_be_it_known_or_not() -> None:
    known = rooms()
    known.changed(["room"], 0.0)
    assert look(known, 0.0) is Verdict.NOTHING
    known.changed(["room"], 1.0)
    assert look(known, 1.0) is Verdict.NOTHING
    known.listed([room(people=0)], 2.0)
    assert due(known, 2.0) == ["room"]  # it was not known how many are there


def test_an_empty_room_is_looked_into_once_more_and_then_when_somebody_comes() -> None:
    known = rooms()
    known.listed([room(people=0)], 0.0)
    look(known, 0.0)
    assert due(known, SETTLED_SECONDS - 0.1) == []
    look(known, SETTLED_SECONDS)
    assert due(known, 1000.0) == []
    known.listed([room(people=1)], 1001.0)
    assert due(known, 1001.0) == ["room"]


def test_a_room_whose_people_need_no_agent_is_looked_into_now_and_then() -> None:
    known = rooms()
    known.listed([room()], 0.0)
    look(known, 0.0, CALLER, requests=())
    look(known, SETTLED_SECONDS, LISTENER)
    assert due(known, 2 * SETTLED_SECONDS - 0.1) == []
    assert due(known, 2 * SETTLED_SECONDS) == ["room"]


def test_with_many_such_rooms_each_is_looked_into_less_often() -> None:
    known, many = rooms(), 20 * SETTLED_PER_SECOND
    known.listed([room(str(each)) for each in range(many)], 0.0)
    (first, *_) = known.due(0.0)
    known.seen(first, Sight([LISTENER], ()), 0.0, has_place=True)
    assert first.look_at == 20.0


def test_a_room_with_a_stranger_is_looked_into_now_and_then() -> None:
    known = rooms()
    known.listed([room()], 0.0)
    look(known, 0.0, CALLER, AGENT)
    assert known.strangers("room", ["agent"]) == [OURS]
    assert due(known, SETTLED_SECONDS) == ["room"]


def test_a_room_that_is_gone_is_forgotten_and_one_of_its_name_is_another() -> None:
    known = rooms()
    known.listed([room()], 0.0)
    look(known, 0.0, CALLER)
    assert known.is_busy
    assert known.listed([room(sid="RM_other")], 1.0) == {"room"}
    assert not known.is_busy
    assert known.listed([], 2.0) == {"room"}
    assert due(known, 2.0) == []


def test_a_room_that_does_not_answer_is_left_alone_for_a_while_unless_somebody_waits() -> None:
    known = rooms()
    known.listed([room()], 0.0)
    known.unseen(*known.due(0.0), now=0.0, pause_seconds=5.0)
    assert due(known, 4.9) == []
    look(known, 5.0, CALLER)
    known.unseen(*known.due(6.0), now=6.0, pause_seconds=5.0)
    assert due(known, 6.0 + WAITING_SECONDS) == ["room"]


def test_a_caller_for_whom_an_agent_is_on_its_way_is_sent_another_when_patience_ends() -> None:
    known = rooms(jitter_seconds=0.5)
    known.listed([room()], 0.0)
    verdicts = [look(known, float(now), CALLER) for now in range(7)]
    assert verdicts == [Verdict.NOTHING] * 6 + [Verdict.AGENT]


def test_a_new_request_starts_the_wait_again() -> None:
    known = rooms()
    known.listed([room()], 0.0)
    look(known, 0.0, CALLER)
    assert look(known, 5.0, CALLER, requests=(ON_THE_WAY, asked("another"))) is Verdict.NOTHING
    assert look(known, 9.0, CALLER, requests=(ON_THE_WAY, asked("another"))) is Verdict.NOTHING


def test_who_hears_that_nobody_is_free_gets_the_next_place_at_once() -> None:
    known = rooms()
    known.listed([room()], 0.0)
    look(known, 0.0, CALLER, HOLD, has_place=False)
    assert look(known, 1.0, CALLER, HOLD, has_place=False) is Verdict.NOTHING
    assert look(known, 2.0, CALLER, HOLD) is Verdict.AGENT


@pytest.mark.parametrize(
    ("tells", "verdict"), [(True, Verdict.ANNOUNCEMENT), (False, Verdict.NOTHING)]
)
def test_who_finds_no_worker_free_is_told_so_soon_where_that_is_done(
    tells: bool, verdict: Verdict
) -> None:
    known = rooms(tells=tells)
    known.listed([room()], 0.0)
    look(known, 0.0, CALLER, requests=(asked(),), has_place=False)
    assert look(known, 1.0, CALLER, requests=(asked(),), has_place=False) is Verdict.NOTHING
    found = look(known, UNHEARD_SECONDS, CALLER, requests=(asked(),), has_place=False)
    assert found is verdict


def test_who_waits_for_an_agent_on_its_way_is_not_told_yet() -> None:
    known = rooms()
    known.listed([room()], 0.0)
    look(known, 0.0, CALLER, has_place=False)
    assert look(known, UNHEARD_SECONDS, CALLER, has_place=False) is Verdict.NOTHING


def test_a_transcriber_for_which_nobody_asked_is_wanted_at_once() -> None:
    need = Need("transcriber", AgentRole.TRANSCRIBES, is_unasked=True)
    known = Rooms(need, PATIENCE_SECONDS, lambda seconds: seconds, lambda: 0.0)
    known.listed([room()], 0.0)
    look(known, 0.0, CALLER, requests=())
    assert look(known, 1.0, CALLER, requests=()) is Verdict.AGENT


def test_there_are_calls_where_agents_live() -> None:
    known = rooms()
    assert not known.is_busy
    known.alive(frozenset([OURS]), 0.0)
    assert known.is_busy


def test_nobody_was_free_where_no_request_found_a_worker() -> None:
    assert nobody_was_free([asked(), asked("other", jobs.JS_RUNNING)], "")
    assert not nobody_was_free([asked(), asked("", jobs.JS_FAILED)], "")


def test_a_room_begins_as_one_of_which_nothing_is_known() -> None:
    assert Room("room").counts is None
