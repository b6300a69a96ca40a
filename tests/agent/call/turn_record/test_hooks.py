"""The rooms of a call tell its recorder what the session does not say."""

from agent.call.call_tools import CallTools
from agent.call.models.fallback import Try
from agent.call.reply.prompt_voice import PromptVoice
from agent.call.reports import Outcome
from agent.call.session import build_session, prepare_parts
from agent.call.turn_record.hooks import in_replies, listen
from agent.call.turn_record.recorder import CallRecorder
from agent.call.turns.end_of_turn.detector import EndOfTurnDetector
from agent.call.turns.turn_taking import TurnTaking
from agent.records.schema import Attempt, Line, Overlap, PresetChanged
from workbench.local.sample_settings import sample_settings


class Sure(EndOfTurnDetector):
    """A detector to whom every turn seems over."""

    window_seconds = 1.0

    async def probability(self, samples: object) -> float:
        return 1.0

    def threshold(self, language: str) -> float:
        return 0.5


async def test_every_room_tells_the_recorder() -> None:
    told: list[Line] = []
    recorder = CallRecorder([told.append])
    parts = prepare_parts(sample_settings())
    session = build_session(parts)
    taking = TurnTaking(parts.settings, parts.assemblyai, session, Sure())
    tools = CallTools(session)
    listen(recorder, session, taking, tools)
    taking.change("conservative")
    taking.outcomes.count("echo", is_right=True)
    assert [type(each) for each in told] == [PresetChanged, PresetChanged, Overlap]
    assert taking.floor.witness is recorder
    assert taking.held_ends
    assert recorder.caller_words.holds_ends
    assert taking.held_ends.on_force == recorder.asked_to_end
    assert tools.limits.on_failure == recorder.tool_failed
    assert isinstance(session.tts, PromptVoice)
    assert session.tts.on_first_clause == recorder.first_clause
    await taking.aclose()


def test_a_try_in_the_background_belongs_to_no_reply() -> None:
    told: list[Attempt] = []
    first, second = (Attempt(provider="a/b", took_for_ms=each) for each in (1, 2))
    tell = in_replies(told.append)
    tell(Try(first, Outcome.BUSY, in_background=True))
    tell(Try(second, Outcome.ANSWERED, in_background=False))
    assert told == [second]
