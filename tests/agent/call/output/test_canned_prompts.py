"""Sentences that were spoken beforehand."""

import shutil
import subprocess
import sys
from pathlib import Path

from agent.call.output.canned_prompts import SAMPLE_RATE, CannedPrompt
from config.languages import LANGUAGES
from workbench.local.running import PROJECT

# The sentences are read, their files go away, and one of them is said.
GONE = """
import asyncio, pathlib, shutil
from agent.call.output import canned_prompts

async def main():
    canned_prompts.SOUNDS = pathlib.Path("sounds")
    canned_prompts.read_canned_prompts()
    shutil.rmtree("sounds")
    frames = [frame async for frame in canned_prompts.CannedPrompt.APOLOGY.recorded().frames()]
    text = canned_prompts.CannedPrompt.APOLOGY.recorded().text
    print(text[:3], sum(frame.duration for frame in frames) > 1)

asyncio.run(main())
"""


async def test_each_sentence_has_words_and_a_sound() -> None:
    for sentence in (each.recorded(language) for language in LANGUAGES for each in CannedPrompt):
        frames = [frame async for frame in sentence.frames()]
        assert {(frame.sample_rate, frame.num_channels) for frame in frames} == {(SAMPLE_RATE, 1)}
        assert 0.5 < sum(frame.duration for frame in frames) < 20
        assert len(sentence.text) > 10


def test_a_sentence_that_was_read_can_be_said_when_its_files_are_gone(tmp_path: Path) -> None:
    shutil.copytree(PROJECT / "agent/call/sounds", tmp_path / "sounds")
    said = subprocess.run(
        [sys.executable, "-c", GONE],
        cwd=tmp_path,
        env={"PYTHONPATH": str(PROJECT), "PATH": ""},
        capture_output=True,
        text=True,
        check=True,
    )
    assert said.stdout.split()[-1] == "True"


def test_none_is_said_in_a_language_that_nobody_chose() -> None:
    source = [path.read_text("utf-8") for path in (PROJECT / "agent").rglob("*.py")]
    assert any("recorded(" in each for each in source)
    assert not [each for each in source if "recorded()" in each]


def test_every_language_has_its_own_words() -> None:
    for prompt in CannedPrompt:
        assert len({prompt.recorded(each).text for each in LANGUAGES}) == len(LANGUAGES)
