"""What a call cost."""

from typing import Any

import pytest

from agent.call.turn_record.cost import cost_of
from agent.records.schema import Cost, Usage
from workbench.local.sample_settings import sample_settings

USAGE = Usage(
    stt_billed_seconds=360,
    prompt_tokens=100_000,
    cached_tokens=40_000,
    completion_tokens=10_000,
    tts_characters=2_000,
    tts_audio_for_ms=120_000,
)


def cost(assemblyai: dict[str, Any], openai: dict[str, Any]) -> Cost | None:
    settings = sample_settings(assemblyai=assemblyai, openai=openai)
    return cost_of(USAGE, settings.assemblyai, settings.openai)


def test_without_prices_nobody_knows_the_cost() -> None:
    assert cost({}, {}) is None


def test_a_price_that_is_zero_is_a_price() -> None:
    assert cost({"price_per_hour": 0}, {}) == Cost()


@pytest.mark.parametrize(
    ("assemblyai", "openai", "expected"),
    [
        ({"price_per_hour": 0.15}, {}, Cost(stt=0.015)),
        ({}, {"llm_input_price": 0.4}, Cost(llm=0.04)),
        ({}, {"llm_input_price": 0.4, "llm_cached_price": 0.1}, Cost(llm=0.028)),
        ({}, {"llm_output_price": 1.6}, Cost(llm=0.016)),
        ({}, {"tts_character_price": 15}, Cost(tts=0.03)),
        ({}, {"tts_minute_price": 0.015}, Cost(tts=0.03)),
    ],
)
def test_each_price_counts_for_what_it_is_the_price_of(
    assemblyai: dict[str, Any], openai: dict[str, Any], expected: Cost
) -> None:
    assert cost(assemblyai, openai) == expected
