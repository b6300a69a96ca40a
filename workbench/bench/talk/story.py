"""What came of each stimulus, line by line: where to look for the cause of a figure."""

from collections.abc import Iterator

from workbench.bench.talk.kept import KeptCall, KeptStimulus
from workbench.bench.talk.spans import Kind, Span

__all__ = ["story"]


def story(call: KeptCall, pause_ms: float) -> Iterator[str]:
    """The call's stimuli in order, with what the agent did, and what it understood."""
    speech = call.conversation(pause_ms).agent_speech
    yield f"{call.contestant}, {call.name}, {call.line}"
    ends = [*(each.start_ms for each in call.stimuli[1:]), float("inf")]
    for stimulus, until_ms in zip(call.stimuli, ends, strict=False):
        heard = " ".join(
            each.text
            for each in call.segments
            if each.is_callers and stimulus.start_ms <= each.opened_ms < until_ms
        )
        did = _over_reply if stimulus.is_over_reply else _in_silence
        yield (
            f"  {stimulus.start_ms / 1000:7.2f} s {stimulus.kind.value:<12}"
            f" {(stimulus.end_ms - stimulus.start_ms) / 1000:4.1f} s  {did(stimulus, speech)};"
            f" {stimulus.text or stimulus.source!r} heard as {heard!r}"
        )


def _in_silence(stimulus: KeptStimulus, speech: tuple[Span, ...]) -> str:
    over = [each for each in speech if stimulus.start_ms < each.start_ms < stimulus.end_ms]
    after = next((each for each in speech if each.start_ms >= stimulus.end_ms), None)
    told = [f"cut in {(each.start_ms - stimulus.start_ms) / 1000:.2f} s in" for each in over]
    if after is None:
        told.append("never answered")
    else:
        told.append(f"answered after {(after.start_ms - stimulus.end_ms) / 1000:.2f} s")
    return ", ".join(told)


def _over_reply(stimulus: KeptStimulus, speech: tuple[Span, ...]) -> str:
    at = stimulus.start_ms
    current = next((each for each in speech if each.start_ms <= at < each.end_ms), None)
    if current is None:
        return f"not over speech, {_in_silence(stimulus, speech)}"
    told = [f"silent after {(current.end_ms - at) / 1000:.2f} s"]
    if stimulus.softer_after_ms is not None:
        told.insert(0, f"softer after {stimulus.softer_after_ms / 1000:.2f} s")
    after = [each for each in speech if each.start_ms >= current.end_ms]
    if after:
        told.append(f"spoke again after {(after[0].start_ms - at) / 1000:.2f} s")
        if stimulus.kind is Kind.TURN:
            answer = next((each for each in after if each.start_ms >= stimulus.end_ms), None)
            if answer:
                seconds = (answer.start_ms - stimulus.end_ms) / 1000
                told.append(f"answered {seconds:.2f} s after its end")
    return ", ".join(told)
