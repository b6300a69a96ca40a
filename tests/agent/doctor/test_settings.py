"""Faults of settings, and names that were meant for them."""

import pytest

from agent.doctor.check import Check, Name, State
from agent.doctor.settings import OTHER_NAMES, judge
from config.names import SETTINGS
from config.reference import variables

RIGHT = {
    "LIVEKIT_URL": "ws://a",
    "LIVEKIT_API_KEY": "k",
    "LIVEKIT_API_SECRET": "s",
    "ASSEMBLYAI_API_KEY": "a",
    "OPENAI_API_KEY": "o",
}


def judged(
    texts: dict[str, str], faults: tuple[str, ...] = (), notes: tuple[str, ...] = ()
) -> list[Check]:
    return judge(faults, notes, texts, variables())


def test_settings_without_a_fault_are_one_check() -> None:
    (found,) = judged(RIGHT)
    assert (found.name, found.state) == (Name.SETTINGS, State.OK)


@pytest.mark.parametrize(
    ("wrong", "meant"),
    [
        ("ASSEMBLY_AI_KEY", "ASSEMBLYAI_API_KEY"),
        ("AAI_API_KEY", "ASSEMBLYAI_API_KEY"),
        ("LIVEKIT_SECRET", "LIVEKIT_API_SECRET"),
        ("LIVEKIT_APIKEY", "LIVEKIT_API_KEY"),
        ("LIVEKIT_HOST", "LIVEKIT_URL"),
        ("OPEN_AI_API_KEY", "OPENAI_API_KEY"),
    ],
)
def test_a_name_that_looks_like_a_missing_one_is_to_be_renamed(wrong: str, meant: str) -> None:
    texts = {name: text for name, text in RIGHT.items() if name != meant} | {wrong: "x"}
    faults, notes = (f"{meant}: is missing; for example",), (f"{wrong}: there is no such setting",)
    (found,) = judged(texts, faults, notes)
    assert found.state is State.FAULT
    assert found.seen == f"{meant} is missing, and {wrong} is set"
    assert found.mend == f"rename {wrong} to {meant}"


def test_one_wrong_name_is_not_proposed_where_a_setting_of_that_name_is_meant() -> None:
    texts = RIGHT | {"OPENAI_LLM_API_KEY": "x"}
    del texts["OPENAI_API_KEY"]
    (found,) = judged(texts, ("OPENAI_API_KEY: is missing; for example OPENAI_API_KEY=x",))
    assert found.seen == "OPENAI_API_KEY is missing"
    assert ".env.example" in found.mend


def test_an_example_that_was_left_is_a_fault() -> None:
    example = next(each.example for each in variables() if each.name == "LIVEKIT_URL")
    (found,) = judged(RIGHT | {"LIVEKIT_URL": example})
    assert found.state is State.FAULT
    assert found.seen.startswith("LIVEKIT_URL is still the example")


@pytest.mark.parametrize(
    ("sentence", "seen", "mend"),
    [
        (
            "AGENT_HTTP_PORT: must be a whole number; for example AGENT_HTTP_PORT=8081",
            "AGENT_HTTP_PORT: must be a whole number",
            "for example AGENT_HTTP_PORT=8081",
        ),
        ("A and B must not both be 1", "A and B must not both be 1", "correct it in"),
    ],
)
def test_a_fault_and_a_note_keep_their_words(sentence: str, seen: str, mend: str) -> None:
    wrong, odd = judged(RIGHT, (sentence,), (sentence,))
    assert (wrong.state, odd.state) == (State.FAULT, State.WARNING)
    assert {wrong.seen, odd.seen} == {seen}
    assert wrong.mend.startswith(mend)
    assert odd.mend.startswith(mend)


def test_names_of_other_programs_mean_settings_that_exist() -> None:
    assert set(OTHER_NAMES.values()) <= SETTINGS.keys()
    assert not OTHER_NAMES.keys() & SETTINGS.keys()
