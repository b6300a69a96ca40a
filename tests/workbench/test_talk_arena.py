"""What the workers of the talking benchmark are told, with keys and without."""

from workbench.bench.talk.arena import real_settings
from workbench.local.providers import plan

KEYS = {"ASSEMBLYAI_API_KEY": "a", "OPENAI_API_KEY": "b"}


def told(**values: str) -> dict[str, str]:
    return real_settings(values, plan(values))


def test_without_keys_nothing_of_the_operators_counts() -> None:
    assert told(AGENT_BARGE_IN="calm", OPENAI_MODEL="other") == {}


def test_with_all_keys_the_operators_settings_count_and_the_addresses_are_the_real_ones() -> None:
    assert told(**KEYS, AGENT_BARGE_IN="calm", OPENAI_BASE_URL="http://mine/v1") == {
        **KEYS,
        "AGENT_BARGE_IN": "calm",
        "ASSEMBLYAI_BASE_URL": "wss://streaming.assemblyai.com",
        "OPENAI_BASE_URL": "http://mine/v1",
    }


def test_with_one_key_the_other_provider_stays_a_stand_in() -> None:
    assert set(told(ASSEMBLYAI_API_KEY="a")) == {"ASSEMBLYAI_API_KEY", "ASSEMBLYAI_BASE_URL"}
