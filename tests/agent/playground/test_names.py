"""The page and the worker call the same things by the same names."""

import re
from pathlib import Path

from livekit.agents.types import (
    ATTRIBUTE_AGENT_STATE,
    ATTRIBUTE_TRANSCRIPTION_FINAL,
    ATTRIBUTE_TRANSCRIPTION_SEGMENT_ID,
    TOPIC_CHAT,
    TOPIC_TRANSCRIPTION,
)

from agent.call.endings import Ending
from agent.playground import server
from agent.room_names import Attribute, Method, Topic

ROOT = Path(__file__).parents[3]
SOURCE = Path(server.__file__).with_name("source")


def test_the_names_of_the_room_are_the_workers() -> None:
    found = dict(
        re.findall(r'export const (\w+) = "([^"]+)";', (SOURCE / "names.ts").read_text("utf-8"))
    )
    assert found["TRANSCRIPTION"] == TOPIC_TRANSCRIPTION
    assert found["SEGMENT_ID"] == ATTRIBUTE_TRANSCRIPTION_SEGMENT_ID
    assert found["IS_FINAL"] == ATTRIBUTE_TRANSCRIPTION_FINAL
    assert found["CHAT"] == TOPIC_CHAT
    assert found["AGENT_STATE"] == ATTRIBUTE_AGENT_STATE
    assert found["ENDING"] == Attribute.ENDING
    assert found["WAITING"] == Attribute.WAITING
    assert found["CALLER"] == Attribute.CALLER
    assert found["ROLE"] == Attribute.ROLE
    assert found["TURN_PRESET"] == Method.TURN_PRESET
    assert found["PRESET"] == Attribute.PRESET
    assert found["DICTATION"] == Attribute.DICTATION
    assert found["TURN_TIMES"] == Topic.TURN_TIMES


def test_every_ending_that_a_caller_meets_has_a_sentence() -> None:
    text = (SOURCE / "faults.ts").read_text("utf-8")
    for ending in Ending:
        if ending.hangs_up:
            assert f"  {ending.code}: " in text, ending


def test_what_the_page_says_and_how_to_mend_it_can_be_looked_up() -> None:
    page = (ROOT / "docs" / "troubleshooting.md").read_text("utf-8")
    table = page.partition("## What the page says")[2].partition("\n## ")[0]
    sources = [*SOURCE.glob("*.ts"), SOURCE.parent / "static" / "index.html"]
    said = "\n".join(path.read_text("utf-8") for path in sources)
    sentences = re.findall(r'^\| "([^"]+)" \|', table, re.MULTILINE)
    assert len(sentences) == 10
    assert not [each for each in sentences if each not in said]
