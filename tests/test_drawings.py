"""The state diagrams in docstrings are true: each arrow is taken, and no state is left without one.

A diagram has lines such as `IDLE --first words--> SPEAKING --end of turn--> IDLE`. For each module
with one, a `Machine` below says how to reach its states, and what each label stands for.
"""

import asyncio
import copy
import importlib
import inspect
import itertools
import json
import math
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from livekit.agents import (
    AgentStateChangedEvent,
    CloseEvent,
    CloseReason,
    ConversationItemAddedEvent,
    LanguageCode,
    llm,
    stt,
)
from livekit.agents.voice.events import AgentState

from agent.call.barge_in import barge_in_filter, by_voice
from agent.call.barge_in.interruptions import Verdict
from agent.call.history.marked import MarkedUtterance
from agent.call.output.playout import Playout
from agent.call.people.caller_policy import CallerPolicy, Candidate
from agent.call.reply import fillers
from agent.call.turns.end_of_turn.second_opinion import EventKind, SecondOpinion
from agent.call.voices.crosstalk import Crosstalk
from agent.call.voices.vad_tap import RESULT_SECONDS
from config.phrases import read_phrasebook
from stt_assemblyai import protocol, turns
from stt_assemblyai.attempt import Attempt, Role
from stt_assemblyai.audio import AudioClock, ReplayBuffer
from stt_assemblyai.endpointing import Endpointing
from stt_assemblyai.flush import Flush
from stt_assemblyai.messages import Terminate, Turn, Word
from stt_assemblyai.options import SessionOptions
from stt_assemblyai.outbox import Outbox
from stt_assemblyai.protocol import Session
from stt_assemblyai.timing import Timing
from stt_assemblyai.turns import TurnMapper

pytestmark = pytest.mark.looptime

ROOT = Path(__file__).parents[1]
ARROW = re.compile(r"([A-Z_]{2,}) --(.+?)--> (?=([A-Z_]{2,}))")
DRAWN_BY_HAND = re.compile("[►▲▼◄]")
FLOWS = {"stt_assemblyai.stream": "which part hands what to which, not states"}

Input = Callable[[Any], Awaitable[object] | object]


@dataclass(frozen=True)
class Machine:
    """How to run what a module draws."""

    start: Callable[[], Any]
    state_of: Callable[[Any], str]
    reach: Mapping[str, Sequence[Input]]
    """What leads to each state from the start."""
    labels: Mapping[str, Sequence[Input | tuple[Input, ...]]]
    """What each label of an arrow stands for: each of these, by itself, takes the arrow. A tuple
    is several inputs in order."""
    states: type[Enum] | None = None
    """The module's enum, if it has one."""

    async def at(self, state: str) -> Any:
        """A new object in this state."""
        machine = self.start()
        await play(machine, *self.reach[state])
        assert self.state_of(machine) == state
        return machine


async def play(machine: Any, *inputs: Input) -> None:
    for each in inputs:
        done = each(machine)
        if inspect.isawaitable(done):
            await done


def wait(seconds: float) -> Input:
    return lambda _: asyncio.sleep(seconds + 0.1)


def private_state(machine: Any) -> str:
    """Drawings are of a field that nobody else reads, so only here a private name is read."""
    name: str = machine._state.name
    return name


# --- a session of the service -------------------------------------------------------------------


def wire(kind: str, **fields: Any) -> Input:
    return lambda session: session.receive(json.dumps({"type": kind, **fields}))


def terminate(session: Session) -> None:
    if session.writable:
        session.say(Terminate())


BEGIN, TERMINATION = wire("Begin", id="s"), wire("Termination", audio_duration_seconds=1)
FAILURES = [
    wire("Error", error_code=4100, error="no"),
    lambda session: session.receive_close(1006, ""),
]
PROTOCOL = Machine(
    start=lambda: Session(SessionOptions()),
    state_of=lambda session: session.state.name,
    states=protocol.State,
    reach={
        "OPENING": [],
        "OPEN": [BEGIN],
        "ENDING": [BEGIN, terminate],
        "ENDED": [terminate, TERMINATION],
        "FAILED": FAILURES[:1],
    },
    labels={
        "Begin": [BEGIN],
        "terminate": [terminate],
        "Termination": [TERMINATION],
        "Error, or close": FAILURES,
        "Error, close, or Termination": [*FAILURES, TERMINATION],
    },
)


# --- a session of a stream -----------------------------------------------------------------------


def retire(role: Role) -> Input:
    return lambda attempt: attempt.end_as(role, now=0.0)


def attempt() -> Attempt:
    outbox = Outbox(ReplayBuffer(16_000), Timing())
    return Attempt(1, "start", SessionOptions(), outbox, Timing())


ATTEMPT = Machine(
    start=attempt,
    state_of=lambda attempt: attempt.role.name,
    states=Role,
    reach={
        "AHEAD": [],
        "ACTIVE": [Attempt.take_over],
        "FINISHING": [Attempt.take_over, retire(Role.FINISHING)],
        "LEAVING": [retire(Role.LEAVING)],
    },
    labels={
        "takes over": [Attempt.take_over],
        "finishes": [(retire(Role.FINISHING))],
        "leaves": [retire(Role.LEAVING)],
    },
)


# --- turns ---------------------------------------------------------------------------------------


def turn(order: int, text: str, **fields: Any) -> Input:
    """A Turn of this text, whose words may still change."""
    words = [
        Word(text=each, start=300 * at, end=300 * at + 250, confidence=0.9, word_is_final=False)
        for at, each in enumerate(text.split())
    ]
    message = Turn.model_validate(
        {
            "type": "Turn",
            "turn_order": order,
            "end_of_turn": False,
            "transcript": text,
            "words": words,
            **fields,
        }
    )
    return lambda mapper: mapper.receive(message, now=0.0)


def expire(mapper: TurnMapper) -> object:
    """At whatever time the mapper waits for."""
    return mapper.expire(mapper.deadline) if mapper.deadline is not None else None


WORDS, MORE, NEXT = turn(0, "hi"), turn(0, "hi there you"), turn(1, "and")
END = turn(0, "hi there", end_of_turn=True)
FORMATTED = turn(0, "Hi there.", end_of_turn=True, turn_is_formatted=True)
TURNS = Machine(
    start=lambda: TurnMapper(
        AudioClock(), Endpointing(stuck_seconds=4, force_seconds=2, wait_for_formatted_seconds=1)
    ),
    state_of=private_state,
    states=turns._State,
    reach={
        "IDLE": [],
        "SPEAKING": [WORDS],
        "FORCED": [WORDS, expire],
        "SETTLED": [WORDS, END],
    },
    labels={
        "first words": [WORDS],
        "new words": [MORE],
        "no new words for too long": [expire],
        "end of turn, formatted": [FORMATTED],
        "end of turn, not formatted": [END],
        "the close": [TurnMapper.close],
        "its deadline": [expire],
        "the formatted text, its deadline, a ready reply": [
            FORMATTED,
            expire,
            TurnMapper.commit_now,
        ],
        "the next turn": [NEXT],
    },
)


# --- a flush --------------------------------------------------------------------------------------


class Flushed:
    """A stream of this much audio, and its flush."""

    def __init__(self) -> None:
        self.replay = ReplayBuffer(8000)
        self.flush = Flush(self.replay)
        self.now = 0.0

    @property
    def state(self) -> str:
        if self.flush.look_at == math.inf:
            return "NOTHING"
        return "LISTENING" if self.flush._waits_for_words else "SENDING"

    def ask(self) -> None:
        self.flush.ask(self.now)

    def all_is_sent(self) -> None:
        """And half a second has passed."""
        self.now += 0.5
        self.flush.give_up(1e6, 0.0, self.now)

    def say(self) -> None:
        self.replay.append(bytes(len(VOICE)) + VOICE)

    def wait(self) -> None:
        self.now += 2
        self.flush.give_up(0.0, 0.0, self.now)


VOICE = (np.sin(np.arange(8000)) * 8000).astype("<i2").tobytes()
FLUSH = Machine(
    start=Flushed,
    state_of=lambda line: line.state,
    reach={
        "NOTHING": [],
        "SENDING": [Flushed.ask],
        "LISTENING": [Flushed.say, Flushed.ask, Flushed.all_is_sent],
    },
    labels={
        "a flush": [Flushed.ask],
        "all is sent, no voice in it": [Flushed.all_is_sent],
        "all is sent, a voice in it": [(Flushed.say, Flushed.ask, Flushed.all_is_sent)],
        "a second": [Flushed.wait],
        "words come": [lambda line: line.flush.cancel()],
    },
)


# --- whom the agent serves -----------------------------------------------------------------------

ANN, BOB = Candidate("ann", is_active=True), Candidate("bob", is_active=True)


def present(*people: Candidate, at: float = 0.0) -> Input:
    return lambda policy: policy.observe(people, at)


def hangs_up(policy: CallerPolicy) -> None:
    policy.hung_up("ann")
    policy.observe([], 0.0)


def served(policy: CallerPolicy) -> str:
    if policy.ending:
        return "OVER"
    return "WAITING" if policy.is_absent else "SERVING" if policy.caller else "CHOOSING"


CALLER_POLICY = Machine(
    start=lambda: CallerPolicy(patience_seconds=30, grace_seconds=15, now=0.0),
    state_of=served,
    reach={
        "CHOOSING": [],
        "SERVING": [present(ANN)],
        "WAITING": [present(ANN), present()],
        "OVER": [present(at=30)],
    },
    labels={
        "somebody may call": [present(ANN)],
        "the caller vanishes": [present()],
        "the caller is back": [present(ANN)],
        "nobody in time": [present(at=30)],
        "the caller hung up": [hangs_up],
        "the caller is silent, somebody else is not": [present(Candidate("ann"), BOB)],
        "not in time": [present(at=15), present(BOB, at=15)],
    },
)


# --- whether the agent yields --------------------------------------------------------------------


class Line:
    """The voice detector's results while the agent speaks."""

    def __init__(self) -> None:
        self.barge_in = by_voice.VoiceBargeIn(by_voice.LIMITS["balanced"], threshold=0.4)
        self.now = 0.0

    def hear(self, seconds: float, probability: float) -> None:
        for _ in range(round(seconds / RESULT_SECONDS)):
            self.now += RESULT_SECONDS
            self.barge_in.hear(self.now, probability, -25.0)
            self.barge_in.posture(self.now)


def voice(seconds: float) -> Input:
    return lambda line: line.hear(seconds, 0.95)


def quiet(seconds: float) -> Input:
    return lambda line: line.hear(seconds, 0.01)


def verdict(of: Verdict) -> Input:
    return lambda line: line.barge_in.on_verdict(of)


REFUSED = [verdict(Verdict.BACKCHANNEL), verdict(Verdict.ECHO)]
BARGE_IN = Machine(
    start=Line,
    state_of=lambda line: line.barge_in.posture(line.now).name,
    states=by_voice.Posture,
    reach={"SPEAKS": [], "DUCKS": [voice(0.2)], "IS_SILENT": [voice(0.4)]},
    labels={
        "a voice": [voice(0.2)],
        "the voice lasts": [voice(0.2)],
        "doubtful words, an interruption": [
            verdict(Verdict.MAYBE_MISHEARD),
            verdict(Verdict.INTERRUPTION),
        ],
        "a pause": [quiet(0.2)],
        "quiet, a backchannel, an echo": [quiet(1.0), *REFUSED],
        "no words in time": [voice(4.0)],
    },
)


# --- what the session sees of an overlap ----------------------------------------------------------

Type = stt.SpeechEventType
BOOK = read_phrasebook(ROOT / "agent/call/phrases")


def speech(kind: stt.SpeechEventType, text: str = "") -> stt.SpeechEvent:
    data = [stt.SpeechData(language=LanguageCode("en"), text=text)] if text else []
    return stt.SpeechEvent(type=kind, alternatives=data)


class Overlapped:
    """A filter, and a floor that the agent has or has not."""

    def __init__(self) -> None:
        self.agent_speaks = True
        self.filter = barge_in_filter.BargeInFilter(BOOK, self, Playout(), echo=False)
        self.filter.playout.begin(asyncio.get_running_loop().time())
        self.filter.playout.add("Our opening hours are nine to five from Monday to Friday.")
        self.filter.agent_state_changed("speaking")

    def agent_has_it(self) -> bool:
        return self.agent_speaks

    def may_be_taken(self) -> bool:
        return True

    def is_aside(self, since: float) -> bool:
        return False

    def interrupt(self, words: str) -> None:
        self.agent_speaks = False

    def on_verdict(self, verdict: Verdict | None) -> None:
        pass

    def keep(self, utterance: MarkedUtterance) -> None:
        pass


def heard(*events: stt.SpeechEvent) -> Input:
    return lambda line: [line.filter.push(each) for each in events]


def when_silent(line: Overlapped) -> None:
    line.agent_speaks = False
    line.filter.push(speech(Type.START_OF_SPEECH))


BEGINS, ENDS = heard(speech(Type.START_OF_SPEECH)), heard(speech(Type.END_OF_SPEECH))
UNFINISHED = heard(speech(Type.INTERIM_TRANSCRIPT, "well I"))
STOP = heard(speech(Type.FINAL_TRANSCRIPT, "Stop, that is not what I want."))
BARGE_IN_FILTER = Machine(
    start=Overlapped,
    state_of=lambda line: private_state(line.filter),
    states=barge_in_filter._State,
    reach={"CLOSED": [], "HELD": [BEGINS], "OPEN": [BEGINS, STOP]},
    labels={
        "first words, the agent has the floor": [BEGINS],
        "first words, it has not": [when_silent],
        "an interruption, or words that stand for long enough": [
            STOP,
            (UNFINISHED, wait(barge_in_filter.NEED_MORE_SECONDS)),
        ],
        "the utterance ends": [ENDS],
    },
)


# --- several speakers -----------------------------------------------------------------------------


def says(who: str, kind: stt.SpeechEventType) -> Input:
    return lambda voices: voices.push(who, speech(kind))


def is_spoken(voices: Crosstalk) -> str:
    """A first voice is told to the session; a further one is not."""
    told = copy.deepcopy(voices).push("somebody else", speech(Type.START_OF_SPEECH))
    return "QUIET" if told else "SPOKEN"


CROSSTALK = Machine(
    start=Crosstalk,
    state_of=is_spoken,
    reach={"QUIET": [], "SPOKEN": [says("ann", Type.START_OF_SPEECH)]},
    labels={
        "the first of them begins": [says("ann", Type.START_OF_SPEECH)],
        "the last of them ends": [
            says("ann", Type.END_OF_SPEECH),
            lambda voices: voices.gone("ann"),
        ],
    },
)


# --- the second opinion ---------------------------------------------------------------------------


class Opinion:
    """What the session has seen of a turn."""

    def __init__(self) -> None:
        self.decision: SecondOpinion[str] = SecondOpinion(1.5, 0.4)
        self.now = 0.0
        self.seen: list[object] = []

    def take(self, kind: EventKind) -> None:
        self.seen += self.decision.push(kind, kind.name, self.now)

    def judge(self, hold_share: float) -> None:
        self.seen += self.decision.on_opinion(hold_share, self.now)

    def pause(self) -> None:
        self.seen += self.decision.quiet(self.now, self.now)

    def expire(self) -> None:
        self.now += 10
        self.seen += self.decision.expire(self.now)

    @property
    def state(self) -> str:
        if "END" in self.seen:
            return "OVER"
        return "HELD" if self.decision.deadline is not None else "OPEN"


def opinion_of(hold_share: float) -> Input:
    return lambda line: line.judge(hold_share)


def take(*kinds: EventKind) -> Input:
    return lambda line: [line.take(kind) for kind in kinds]


def sure_end(line: Opinion) -> None:
    line.pause()
    line.judge(0)
    line.take(EventKind.END)


def held_by_a_voice(line: Opinion) -> None:
    line.decision.voice(line.now)
    line.take(EventKind.END)


TURN = [lambda line: line.decision.voice(line.now), take(EventKind.START, EventKind.WORDS)]
SECOND_OPINION = Machine(
    start=Opinion,
    state_of=lambda line: line.state,
    reach={
        "OPEN": TURN,
        "HELD": [*TURN, Opinion.pause, take(EventKind.END)],
        "OVER": [*TURN, sure_end],
    },
    labels={
        "the end, there is a voice or no sure opinion": [held_by_a_voice, take(EventKind.END)],
        "the end, with a sure opinion": [sure_end],
        "quiet for as long as the opinion asks for": [Opinion.expire, opinion_of(0)],
        "the caller goes on": [take(EventKind.WORDS), take(EventKind.START)],
    },
)


# --- fillers --------------------------------------------------------------------------------------

DELAY_SECONDS, FILLER_SECONDS = 2.0, 10.0


class Conversation:
    """LiveKit's session, as far as fillers look at it."""

    def __init__(self) -> None:
        self.agent_state: AgentState = "listening"
        self.user_state = "listening"
        self.fillers = fillers.Fillers(
            self,  # type: ignore[arg-type]
            delay_seconds=DELAY_SECONDS,
            play=lambda: asyncio.sleep(FILLER_SECONDS),
        )


def agent(state: AgentState) -> Input:
    def change(session: Conversation) -> None:
        session.agent_state, before = state, session.agent_state
        session.fillers.on_state_changed(AgentStateChangedEvent(old_state=before, new_state=state))

    return change


def caller_turn(session: Conversation) -> None:
    item = llm.ChatMessage(role="user", content=["And?"])
    session.fillers.on_item_added(ConversationItemAddedEvent(item=item))


def close(session: Conversation) -> None:
    session.fillers.on_close(CloseEvent(reason=CloseReason.USER_INITIATED))


THINKS, SPEAKS = agent("thinking"), agent("speaking")
FILLERS = Machine(
    start=Conversation,
    state_of=lambda session: private_state(session.fillers),
    states=fillers.State,
    reach={
        "QUIET": [],
        "PATIENT": [THINKS],
        "PLAYING": [THINKS, wait(DELAY_SECONDS)],
        "SAID": [THINKS, wait(DELAY_SECONDS), SPEAKS, agent("listening")],
    },
    labels={
        "speech owed": [THINKS],
        "the speech, or the session's close": [SPEAKS, close],
        "the delay": [wait(DELAY_SECONDS)],
        "its end, or the speech": [wait(FILLER_SECONDS), SPEAKS],
        "the speech, in a new turn": [(caller_turn, SPEAKS)],
        "its end, in a new turn": [(caller_turn, wait(FILLER_SECONDS))],
        "the next turn": [caller_turn],
        "the next turn, with speech owed": [(THINKS, caller_turn)],
    },
)


MACHINES = {
    "agent.call.barge_in.by_voice": BARGE_IN,
    "agent.call.people.caller_policy": CALLER_POLICY,
    "agent.call.voices.crosstalk": CROSSTALK,
    "agent.call.turns.end_of_turn.second_opinion": SECOND_OPINION,
    "agent.call.reply.fillers": FILLERS,
    "agent.call.barge_in.barge_in_filter": BARGE_IN_FILTER,
    "stt_assemblyai.attempt": ATTEMPT,
    "stt_assemblyai.flush": FLUSH,
    "stt_assemblyai.protocol": PROTOCOL,
    "stt_assemblyai.turns": TURNS,
}


def inputs(way: Input | tuple[Input, ...]) -> tuple[Input, ...]:
    return way if isinstance(way, tuple) else (way,)


def drawn(module: str) -> set[tuple[str, str, str]]:
    """The arrows in a module's drawing: from, label, to."""
    return set(ARROW.findall(inspect.getsource(importlib.import_module(module))))


ARROWS = [(module, *arrow) for module in MACHINES for arrow in sorted(drawn(module))]


@pytest.mark.parametrize("module", MACHINES)
def test_the_states_drawn_are_those_of_the_module(module: str) -> None:
    machine = MACHINES[module]
    states = {state for source, _, target in drawn(module) for state in (source, target)}
    assert states == machine.reach.keys()
    if machine.states:
        assert states == {each.name for each in machine.states}


@pytest.mark.parametrize("module", MACHINES)
def test_each_label_has_a_meaning_and_is_drawn(module: str) -> None:
    assert {label for _, label, _ in drawn(module)} == MACHINES[module].labels.keys()


@pytest.mark.parametrize(("module", "source", "label", "target"), ARROWS)
async def test_an_arrow_leads_where_it_points(
    module: str, source: str, label: str, target: str
) -> None:
    machine = MACHINES[module]
    for way in machine.labels[label]:
        found = await machine.at(source)
        await play(found, *inputs(way))
        assert machine.state_of(found) == target, f"{source} --{label}-->"


@pytest.mark.parametrize("module", MACHINES)
async def test_nothing_leads_where_no_arrow_points(module: str) -> None:
    """From each state, any two inputs."""
    machine = MACHINES[module]
    arrows = {(source, target) for source, _, target in drawn(module)}
    every = [each for ways in machine.labels.values() for way in ways for each in inputs(way)]
    for state, pair in itertools.product(machine.reach, itertools.product(every, repeat=2)):
        found = await machine.at(state)
        for each in pair:
            before = machine.state_of(found)
            await play(found, each)
            after = machine.state_of(found)
            assert before == after or (before, after) in arrows


def test_every_drawing_of_states_is_checked() -> None:
    shipped = [
        path
        for package in ("agent", "config", "stt_assemblyai")
        for path in sorted((ROOT / package).rglob("*.py"))
    ]
    texts = {
        ".".join(path.relative_to(ROOT).with_suffix("").parts): path.read_text("utf-8")
        for path in shipped
    }
    assert {name for name, text in texts.items() if ARROW.search(text)} == MACHINES.keys()
    by_hand = {name for name, text in texts.items() if DRAWN_BY_HAND.search(text)}
    assert by_hand == FLOWS.keys(), (
        "draw states as lines of `A --label--> B`, and add them to this test"
    )
