"""Presets and dictation, changed in the middle of a call."""

from typing import Any

import pytest
from livekit.agents import AgentSession

from agent.call.turns.endpointing import turn_handling
from agent.call.turns.turn_taking import TurnTaking
from config.settings import Settings
from stt_assemblyai.models import PRESETS
from stt_assemblyai.stt import STT
from workbench.local.sample_settings import sample_settings


class Line:
    """What both sides of a call without a network are set to."""

    def __init__(self, chosen: Settings) -> None:
        self.stt = STT(api_key="key", options=chosen.session_options)
        self.session: AgentSession[None] = AgentSession(turn_handling=turn_handling(chosen))
        self.turn_taking = TurnTaking(chosen, self.stt, self.session)

    @property
    def state(self) -> tuple[dict[str, Any], float]:
        sent = {name: self.stt.options.effective().get(name) for name in PRESETS["seed"]}
        return sent, self.session.options.endpointing["min_delay"]


async def test_a_preset_changes_in_mid_call_on_both_sides() -> None:
    line = Line(sample_settings())
    line.turn_taking.change("conservative")
    assert line.state == (PRESETS["conservative"], 0.8)
    assert line.turn_taking.preset == "conservative"
    line.turn_taking.change("seed")
    assert line.state == (PRESETS["seed"], 0.0)


@pytest.mark.parametrize("model", ["universal-streaming-english", "universal-3-6-pro"])
async def test_dictation_goes_back_to_the_preset_of_then(model: str) -> None:
    line = Line(sample_settings(assemblyai={"speech_model": model}))
    with line.turn_taking.dictation():
        before = line.state
        with line.turn_taking.dictation():
            assert line.state == before
        assert line.state == before
        assert before[0]["min_turn_silence"] == 1600
        line.turn_taking.change("aggressive")
        assert line.state[0]["min_turn_silence"] == 1600
    assert line.state[0]["max_turn_silence"] < 1000
    assert line.state[1] == 0.0


async def test_dictation_leaves_terms_and_prompts_alone() -> None:
    line = Line(sample_settings(assemblyai={"keyterms_prompt": "Aldi"}))
    line.stt.update_options(keyterms_prompt=["Aldi", "Kofi"])
    with line.turn_taking.dictation():
        assert line.stt.options.keyterms_prompt == ("Aldi", "Kofi")
    assert line.stt.options.keyterms_prompt == ("Aldi", "Kofi")
