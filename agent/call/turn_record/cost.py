"""What a call cost, by the prices in the settings. Pure."""

from agent.records.schema import Cost, Usage
from config.services import AssemblyAISettings, OpenAISettings

_HOUR_SECONDS, _MINUTE_MS, _MILLION = 3600, 60_000, 1_000_000


def cost_of(usage: Usage, stt: AssemblyAISettings, models: OpenAISettings) -> Cost | None:
    """The cost of this usage. What has no price is left out; None without any price."""
    prices = (
        stt.price_per_hour,
        models.llm_input_price,
        models.llm_cached_price,
        models.llm_output_price,
        models.tts_character_price,
        models.tts_minute_price,
    )
    if all(each is None for each in prices):
        return None
    hour, fresh, cached, output, characters, minute = (each or 0.0 for each in prices)
    if models.llm_cached_price is None:
        cached = fresh
    llm = (
        (usage.prompt_tokens - usage.cached_tokens) * fresh
        + usage.cached_tokens * cached
        + usage.completion_tokens * output
    )
    return Cost(
        stt=round(usage.stt_billed_seconds / _HOUR_SECONDS * hour, 6),
        llm=round(llm / _MILLION, 6),
        tts=round(
            usage.tts_characters / _MILLION * characters
            + usage.tts_audio_for_ms / _MINUTE_MS * minute,
            6,
        ),
    )
