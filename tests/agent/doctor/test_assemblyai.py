"""AssemblyAI's answers to a request for a token, and what is to be done about each."""

import pytest

from agent.doctor.answers import Answer, Failure, Trouble
from agent.doctor.assemblyai import judge, judge_fallback
from agent.doctor.check import Check, Name, State

URL = "wss://streaming.eu.assemblyai.com"
KEY = "0123456789abcdef0123456789abcdef"
TOKEN = '{"token": "x", "expires_in_seconds": 60}'
ADDRESS, KEY_NAME, CLOCK = Name.ASSEMBLYAI_ADDRESS, Name.ASSEMBLYAI_KEY, Name.ASSEMBLYAI_CLOCK


def judged(answer: Answer | Failure, key: str = KEY, url: str = URL) -> dict[Name, Check]:
    return {check.name: check for check in judge(url, key, answer)}


@pytest.mark.parametrize(
    ("url", "region"),
    [
        (URL, "EU"),
        ("wss://streaming.assemblyai.com", "nearest region"),
        ("ws://127.0.0.1:1", "an address of your own"),
    ],
)
def test_a_token_proves_the_key_and_the_region(url: str, region: str) -> None:
    found = judged(Answer(200, TOKEN, 0.0), url=url)
    assert [check.state for check in found.values()] == [State.OK] * 3
    assert region in found[ADDRESS].seen


def test_a_service_without_an_answer_leaves_key_and_clock_open() -> None:
    found = judged(Failure(Trouble.NO_NAME))
    assert found[ADDRESS].state is State.FAULT
    assert "ASSEMBLYAI_BASE_URL" in found[ADDRESS].mend
    assert {found[KEY_NAME].state, found[CLOCK].state} == {State.SKIPPED}


@pytest.mark.parametrize(
    ("answer", "seen", "mend"),
    [
        (Answer(404, ""), "not as the streaming service (HTTP 404)", "streaming.assemblyai.com"),
        (Answer(200, "<html>"), "not as the streaming service", "streaming.eu.assemblyai.com"),
        (Answer(200, "[]"), "not as the streaming service", "ASSEMBLYAI_BASE_URL"),
        (Answer(503, ""), "HTTP 503", "in trouble"),
        (Answer(400, "to an HTTPS server"), "wants TLS", "wss://"),
    ],
)
def test_an_answer_of_another_kind_is_a_fault_of_the_address(
    answer: Answer, seen: str, mend: str
) -> None:
    found = judged(answer)
    assert found[ADDRESS].state is State.FAULT
    assert seen in found[ADDRESS].seen
    assert mend in found[ADDRESS].mend
    assert found[KEY_NAME].state is State.SKIPPED


@pytest.mark.parametrize(
    ("answer", "key", "state", "words"),
    [
        (Answer(401, ""), KEY, State.FAULT, "copy ASSEMBLYAI_API_KEY again"),
        (Answer(403, ""), "short", State.FAULT, "32 digits"),
        (Answer(401, ""), "sk-proj-x", State.FAULT, "a key of OpenAI"),
        (Answer(402, ""), KEY, State.FAULT, "top up the account"),
        (Answer(422, ""), KEY, State.WARNING, "not judged"),
        (Answer(429, ""), KEY, State.WARNING, "not judged"),
    ],
)
def test_a_key_that_is_not_taken_has_its_own_mend(
    answer: Answer, key: str, state: State, words: str
) -> None:
    found = judged(answer, key)
    assert found[ADDRESS].state is State.OK
    assert found[KEY_NAME].state is state
    assert words in f"{found[KEY_NAME].seen} {found[KEY_NAME].mend}"


def test_a_key_of_the_right_shape_is_not_blamed_for_it() -> None:
    assert "32 digits" not in judged(Answer(401, ""))[KEY_NAME].seen


@pytest.mark.parametrize(
    ("ahead", "state"), [(None, State.SKIPPED), (29.0, State.OK), (-90.0, State.WARNING)]
)
def test_the_clock_is_compared(ahead: float | None, state: State) -> None:
    assert judged(Answer(200, TOKEN, ahead))[CLOCK].state is state


@pytest.mark.parametrize(
    ("url", "answer", "state"),
    [
        (None, None, State.SKIPPED),
        (URL, Answer(200, TOKEN), State.OK),
        (URL, Answer(401, ""), State.FAULT),
        (URL, Answer(404, ""), State.FAULT),
        (URL, Failure(Trouble.REFUSED), State.FAULT),
    ],
)
def test_the_fallback_region_is_judged_by_the_same_key(
    url: str | None, answer: Answer | Failure | None, state: State
) -> None:
    found = judge_fallback(url, answer)
    assert found.name is Name.ASSEMBLYAI_FALLBACK
    assert found.state is state
    assert "ASSEMBLYAI_FALLBACK_BASE_URL" in found.seen + found.mend or state is State.OK
