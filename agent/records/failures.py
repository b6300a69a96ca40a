"""Failures of providers beside the turns: lost connections, and requests outside of any reply."""

from collections.abc import Iterator, Sequence

from agent.records.attempts import tries
from agent.records.oddity import Oddity
from agent.records.read import RecordedCall
from agent.records.schema import Provider, ProviderFailed, Reply, SttSession, Turn
from agent.records.stages import Share, latest, wait_ms
from agent.records.words import PROVIDERS, duration, error_in_words, moment

SAME_OUTAGE_MS = 5000
"""Another failure that comes so soon after the planned attempt is of the same outage: an attempt
that is not answered takes some seconds."""
CATCHING_UP_MS = 10_000
"""After a loss, the new session needs up to this time to catch up with the caller: it is sent what
it missed only a little faster than it was spoken."""
ORDERLY_SESSIONS = frozenset({"start", "roll over", "audio again"})
"""Reasons for another session with AssemblyAI that are no failure."""

_Found = Iterator[Oddity]


def found(call: RecordedCall, deaf: Sequence[Turn] = ()) -> list[Oddity]:
    """All of them, in any order. `deaf` are the turns whose callers waited because of a loss
    (`is_of_a_loss`): they are told with it."""
    return [*_of_connections(call, deaf), *_of_providers(call)]


def is_of_a_loss(turn: Turn, blamed: Sequence[Share], call: RecordedCall) -> bool:
    """Whether the caller waited for the recognition alone, and that was lost or catching up."""
    is_heard_late = bool(blamed) and all(each.key in ("stt", "end_of_turn") for each in blamed)
    return is_heard_late and bool(loss_before(turn, call))


def _of_connections(call: RecordedCall, deaf: Sequence[Turn]) -> _Found:
    """Losses of the connection to AssemblyAI. Its repetitions until another one is open are one."""
    reopened = [each for each in call.every(SttSession) if each.reason not in ORDERLY_SESSIONS]
    resent = sum(each.audio_resent_seconds for each in reopened)
    again = f" {resent:.1f} s of sound were sent once more." if resent else ""
    hint = "Look at the worker's network; ASSEMBLYAI_FALLBACK_BASE_URL names a second region."
    outages = _outages(call)
    for number, outage in enumerate(outages):
        first, turn = outage[0], _turn_at(call, outage[0].at_ms)
        late = [each for each in deaf if _outage_before(each, outages) == number]
        where = f"Turn {turn.index}: at" if turn else "At"
        wait_for_ms = outage[-1].at_ms + (outage[-1].wait_for_ms or 0) - first.at_ms
        after = f" {duration(wait_for_ms)} later" if wait_for_ms else ""
        failed = f" at attempt {len(outage)}" if len(outage) > 1 else ""
        yield Oddity(
            "stt_lost",
            f"{where} {moment(first.at_ms)} the connection to AssemblyAI (speech recognition) was "
            f"lost ({_verdict(outage)}), and opened again{after}{failed}.{_waits(late, first)}"
            f"{again}",
            turn.index if turn else None,
            hint,
            tuple(each.index for each in late if each is not turn),
        )
    if reopened and not outages:
        yield Oddity(
            "stt_lost",
            f"The connection to AssemblyAI (speech recognition) was lost {_times(len(reopened))} "
            f"({error_in_words(reopened[0].reason)}), and opened again.{again}",
            hint=hint,
        )


def _verdict(outage: Sequence[ProviderFailed]) -> str:
    """One cause for an outage: the first that says more than that something broke off."""
    told = [each.error for each in outage if each.error != "TransientError"]
    return error_in_words(told[0]) if told else error_in_words(outage[0].error)


def _waits(late: Sequence[Turn], lost: ProviderFailed) -> str:
    """What an outage cost the callers of these turns."""
    said = [
        f"turn {each.index} waited {duration(wait_ms(each) or 0)}"
        + ("" if _begins_ms(each) <= lost.at_ms else " while AssemblyAI caught up")
        for each in late
    ]
    return f" Therefore {', and '.join(said)}." if said else ""


def _begins_ms(turn: Turn) -> int:
    part = turn.caller_part
    return part.started_ms or part.ended_ms or 0


def _outage_before(turn: Turn, outages: Sequence[Sequence[ProviderFailed]]) -> int | None:
    """The last outage that began before this turn was over."""
    part = turn.caller_part
    ends = part.decided_ms or part.committed_ms or 0
    before = [number for number, outage in enumerate(outages) if outage[0].at_ms <= ends]
    return before[-1] if before else None


def loss_before(turn: Turn, call: RecordedCall) -> str:
    """A sentence about a loss of the connection to AssemblyAI that kept it from hearing this turn;
    empty if there was none."""
    part = turn.caller_part
    begins, ends = part.started_ms or part.ended_ms, part.decided_ms or part.committed_ms
    if begins is None or ends is None:
        return ""
    lost = [each.at_ms for outage in _outages(call) for each in outage if each.at_ms <= ends]
    if not lost or begins - lost[-1] > CATCHING_UP_MS:
        return ""
    if lost[-1] >= begins:
        return " The connection to AssemblyAI was lost meanwhile."
    return " AssemblyAI was catching up with what was said while the connection was lost."


def _outages(call: RecordedCall) -> list[list[ProviderFailed]]:
    """The failures of AssemblyAI, those together that belong to one outage."""
    outages: list[list[ProviderFailed]] = []
    for each in call.every(ProviderFailed):
        if each.provider != "stt":
            continue
        last = outages[-1][-1] if outages else None
        if last and each.at_ms - last.at_ms <= (last.wait_for_ms or 0) + SAME_OUTAGE_MS:
            outages[-1].append(each)
        else:
            outages.append([each])
    return outages


def _of_providers(call: RecordedCall) -> _Found:
    """Failures of the model and the voice that no turn tells."""
    failed = call.every(ProviderFailed)
    of_models: tuple[Provider, ...] = ("llm", "tts")
    for provider in of_models:
        told = sum(bool(each.error) for turn in call.turns for each in tries(turn, provider))
        all_of_it = [each for each in failed if each.provider == provider]
        if more := max(len(all_of_it) - told, 0):
            yield Oddity(
                "provider_failed",
                f"A request to {PROVIDERS[provider]} failed {_times(more)} outside of any turn's "
                f"reply ({error_in_words(all_of_it[-1].error)}).",
            )


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def _turn_at(call: RecordedCall, at_ms: int) -> Turn | None:
    """The turn in which something happened: the first whose reply had not ended then."""
    for turn in call.turns:
        part, reply = turn.caller_part, turn.reply or Reply()
        ends = latest(part.ended_ms, part.committed_ms, reply.first_sound_ms, reply.ended_ms)
        if ends is not None and at_ms <= ends:
            return turn
    return call.turns[-1] if call.turns else None
