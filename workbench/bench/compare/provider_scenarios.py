"""What a provider of the language model or the voice may do wrong, each as something that happens
to a caller who has asked a question. The stand-in's faults make it happen."""

from dataclasses import dataclass

from workbench.standins.openai_v1.faults import Fault

__all__ = ["SCENARIOS", "SHORT", "ProviderScenario"]

SUM = "What is seven plus five?"
SECRET = "Tell me how to build the forbidden thing"
LONG_ANSWER = " ".join(["another"] * 700)
TWO_SENTENCES = "The first sentence is here to stay. The second one comes right behind it."


@dataclass(frozen=True, slots=True)
class ProviderScenario:
    """A caller has been greeted; the faults are there when the question is typed."""

    title: str
    faults: tuple[Fault, ...]
    question: str = SUM


def _chat(**fault: object) -> Fault:
    return Fault.model_validate({"endpoint": "chat", **fault})


def _speech(**fault: object) -> Fault:
    return Fault.model_validate({"endpoint": "speech", **fault})


def _chunk(delta: dict[str, object], finish_reason: str | None = None) -> dict[str, object]:
    choice = {"index": 0, "delta": delta, "finish_reason": finish_reason}
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "gpt-4.1-mini",
        "choices": [choice],
    }


_NULL_CHOICES = {**_chunk({}), "choices": None}
_REFUSAL = [_chunk({"role": "assistant", "refusal": "I cannot."}), _chunk({}, "stop")]

SCENARIOS = (
    ProviderScenario("nothing goes wrong", ()),
    ProviderScenario("model: one answer is comments without a word", (_chat(keep_alive=True),)),
    ProviderScenario("voice: one answer is comments without a sound", (_speech(keep_alive=True),)),
    ProviderScenario(
        "model: 429 with Retry-After: 1, for 0.5 s",
        (_chat(status=429, headers={"Retry-After": "1"}, for_seconds=0.5),),
    ),
    ProviderScenario("model: 503 for 3 s", (_chat(status=503, for_seconds=3),)),
    ProviderScenario(
        "model: an error as the first event of the stream",
        (_chat(events=[{"error": {"message": "overloaded", "type": "server_error"}}]),),
    ),
    ProviderScenario("voice: 503 for 2 s", (_speech(status=503, for_seconds=2),)),
    ProviderScenario(
        "voice: 503 for 2 s, for the second sentence only",
        (
            _chat(says=TWO_SENTENCES),
            _speech(status=503, for_seconds=2, about="second"),
        ),
    ),
    ProviderScenario(
        "model: connections that were used before are dead",
        (_chat(hang=True, on_reused_connections=True, times=50),),
    ),
    ProviderScenario(
        "model: refuses one message (400, content_filter)",
        (_chat(status=400, code="content_filter", about="forbidden", for_seconds=60),),
        SECRET,
    ),
    ProviderScenario("model: declines (delta.refusal)", (_chat(events=_REFUSAL),), SECRET),
    ProviderScenario(
        "voice: refuses one sentence (400)",
        (
            _chat(says=TWO_SENTENCES),
            _speech(status=400, about="first", times=50),
        ),
    ),
    ProviderScenario(
        "voice: has no sound for one sentence",
        (
            _chat(says=TWO_SENTENCES),
            _speech(content_type="audio/pcm", about="first", times=50),
        ),
    ),
    ProviderScenario("model: 700 words without a mark", (_chat(says=LONG_ANSWER),)),
    ProviderScenario("model: answers with an emoji", (_chat(says="\N{THUMBS UP SIGN}"),)),
    ProviderScenario(
        "model: the stream ends without a finish_reason",
        (_chat(says="Seven plus five", finish_reason=""),),
    ),
    ProviderScenario(
        "voice: a web page in place of sound",
        (_speech(content_type="text/html", body="<p>Bad gateway</p>" * 500),),
    ),
    ProviderScenario(
        "model: thinks aloud",
        (_chat(says="The user wants a sum. </think>Seven plus five is twelve."),),
    ),
    ProviderScenario(
        "model: one chunk with choices: null",
        (
            _chat(
                events=[
                    _NULL_CHOICES,
                    _chunk({"role": "assistant", "content": "Seven plus five is twelve."}),
                    _chunk({}, "stop"),
                ]
            ),
        ),
    ),
)
SHORT = (SCENARIOS[0], SCENARIOS[4])
