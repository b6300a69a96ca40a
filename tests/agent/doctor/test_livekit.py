"""LiveKit's answers, and what is to be done about each."""

import pytest
from pydantic import SecretStr

from agent.doctor.answers import Answer, Failure, Trouble
from agent.doctor.check import Check, Name, State
from agent.doctor.livekit import (
    AgentSeen,
    Joined,
    NotJoined,
    accepts_key,
    judge,
    looks_swapped,
    media,
    skew,
    worker,
)
from config.services import LiveKitSettings

ROOMS = '{"rooms":[]}'


def settings(key: str = "APIabc", secret: str = "s" * 40) -> LiveKitSettings:
    return LiveKitSettings(
        url="ws://lk.example:7880", api_key=SecretStr(key), api_secret=SecretStr(secret)
    )


def judged(answer: Answer | Failure, **keys: str) -> dict[Name, Check]:
    return {check.name: check for check in judge(settings(**keys), answer)}


def test_a_server_that_takes_the_key_is_well() -> None:
    answer = Answer(200, ROOMS, 1.0)
    found = judged(answer)
    assert [check.state for check in found.values()] == [State.OK] * 3
    assert accepts_key(answer)


def test_a_server_without_an_answer_leaves_key_and_clock_open() -> None:
    failed = Failure(Trouble.REFUSED)
    found = judged(failed)
    assert found[Name.LIVEKIT_ADDRESS].state is State.FAULT
    assert found[Name.LIVEKIT_KEY].state is State.SKIPPED
    assert found[Name.LIVEKIT_CLOCK].state is State.SKIPPED
    assert not accepts_key(failed)


def test_a_swap_is_seen_without_an_answer() -> None:
    found = judged(Failure(Trouble.REFUSED), key="s" * 40, secret="APIabc")[Name.LIVEKIT_KEY]
    assert found.state is State.FAULT
    assert "exchange" in found.mend


@pytest.mark.parametrize(
    ("key", "secret", "swapped"),
    [
        ("APIabc", "s" * 40, False),
        ("s" * 40, "APIabc", True),
        ("s" * 40, "devkey", True),
        ("devkey", "secret", False),
        ("API" + "k" * 40, "short", False),
    ],
)
def test_key_and_secret_are_told_apart_by_their_shape(key: str, secret: str, swapped: bool) -> None:
    assert looks_swapped(settings(key, secret)) == swapped


@pytest.mark.parametrize(
    ("answer", "seen", "mend"),
    [
        (Answer(200, "<html>"), "not as a LiveKit server (HTTP 200)", "wss://PROJECT.livekit"),
        (Answer(200, "[]"), "not as a LiveKit server", "LIVEKIT_URL"),
        (Answer(200, "{}"), "not as a LiveKit server", "LIVEKIT_URL"),
        (Answer(301, ""), "not as a LiveKit server (HTTP 301)", "LIVEKIT_URL"),
        (Answer(404, ""), "not as a LiveKit server (HTTP 404)", "/twirp"),
        (Answer(502, ""), "answers with HTTP 502", "proxy"),
        (Answer(400, "to an HTTPS server"), "wants TLS", "wss://"),
    ],
)
def test_a_server_of_another_kind_is_a_fault_of_the_address(
    answer: Answer, seen: str, mend: str
) -> None:
    found = judged(answer)
    assert found[Name.LIVEKIT_ADDRESS].state is State.FAULT
    assert seen in found[Name.LIVEKIT_ADDRESS].seen
    assert mend in found[Name.LIVEKIT_ADDRESS].mend
    assert found[Name.LIVEKIT_KEY].state is State.SKIPPED
    assert not accepts_key(answer)


@pytest.mark.parametrize(
    ("text", "keys", "mend"),
    [
        ("invalid API key: APIabc", {}, "another project's"),
        ("error: token signature is invalid", {}, "copy the secret that belongs to this key"),
        ("error in cryptographic primitive", {}, "copy the secret that belongs to this key"),
        ("permissions denied", {}, "they belong together"),
        ("invalid API key", {"key": "s" * 40, "secret": "APIabc"}, "exchange the values"),
    ],
)
@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_key_has_its_own_mend(
    status: int, text: str, keys: dict[str, str], mend: str
) -> None:
    found = judged(Answer(status, text, 0.0), **keys)
    assert found[Name.LIVEKIT_ADDRESS].state is State.OK
    assert found[Name.LIVEKIT_KEY].state is State.FAULT
    assert mend in found[Name.LIVEKIT_KEY].mend


@pytest.mark.parametrize(("ahead", "said"), [(90.0, "90 s ahead of"), (-90.0, "90 s behind")])
def test_a_refusal_with_a_wrong_clock_is_the_clocks_fault(ahead: float, said: str) -> None:
    found = judged(Answer(401, "token is expired", ahead))
    assert found[Name.LIVEKIT_KEY].state is State.SKIPPED
    assert found[Name.LIVEKIT_CLOCK].state is State.FAULT
    assert said in found[Name.LIVEKIT_CLOCK].seen


def test_a_wrong_clock_with_which_tokens_are_taken_is_a_warning() -> None:
    assert judged(Answer(200, ROOMS, 90.0))[Name.LIVEKIT_CLOCK].state is State.WARNING


def test_a_server_without_a_date_leaves_the_clock_open() -> None:
    assert judged(Answer(200, ROOMS))[Name.LIVEKIT_CLOCK].state is State.SKIPPED


def test_the_difference_is_told_in_its_direction() -> None:
    assert skew(61.4, "LiveKit's") == "this machine's clock is 61 s ahead of LiveKit's"
    assert skew(-61.4, "LiveKit's") == "this machine's clock is 61 s behind LiveKit's"


def test_what_a_server_repeats_is_not_shown() -> None:
    for check in judged(Answer(401, "invalid API key: the-secret")).values():
        assert "the-secret" not in check.seen + check.mend


def test_agents_of_our_name_in_calls_mean_a_worker_that_runs_already() -> None:
    agents = [AgentSeen(f"room {n}", "clerk") for n in range(5)]
    found = worker("clerk", agents)
    assert found.state is State.WARNING
    assert "room 0, room 1, room 2 and 2 more" in found.seen
    assert "AGENT_NAME" in found.mend


@pytest.mark.parametrize("agents", [[], [AgentSeen("room", "other")]])
@pytest.mark.parametrize(("name", "called"), [("clerk", "named 'clerk'"), ("", "without a name")])
def test_without_such_agents_it_is_said_what_livekit_does_not_tell(
    agents: list[AgentSeen], name: str, called: str
) -> None:
    found = worker(name, agents)
    assert found.state is State.OK
    assert f"no agent {called}" in found.seen
    assert "does not tell" in found.seen


def test_rooms_that_cannot_be_listed_leave_it_open() -> None:
    assert worker("", None).state is State.SKIPPED


def test_one_room_is_named_alone() -> None:
    assert "(in room)" in worker("", [AgentSeen("room", "")]).seen


def test_a_room_that_was_joined_lets_sound_pass() -> None:
    assert media("ws://a", Joined(0.4)) == Check(
        Name.LIVEKIT_MEDIA, State.OK, "a room was joined in 0.4 s"
    )


@pytest.mark.parametrize(("signalled", "mend"), [(False, "WebSockets"), (True, "UDP")])
def test_a_room_that_was_not_joined_says_what_to_open(signalled: bool, mend: str) -> None:
    found = media("ws://a", NotJoined(signalled))
    assert found.state is State.FAULT
    assert mend in found.mend
