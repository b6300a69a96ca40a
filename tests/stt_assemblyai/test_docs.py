"""What docs/stt.md shows works as it stands there."""

import re
from pathlib import Path
from typing import Any

import pytest

from stt_assemblyai.stt import STT
from workbench.standins.assemblyai_v3.knobs import Knobs
from workbench.standins.assemblyai_v3.scripted import ScriptedWord
from workbench.standins.assemblyai_v3.server import LOCAL_KEY, AssemblyAIStandIn

PAGE = (Path(__file__).parents[2] / "docs" / "stt.md").read_text()


def example(holding: str) -> str:
    blocks = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    return next(block for block in blocks if holding in block)


async def test_the_example_without_livekit_prints_each_turn(
    capsys: pytest.CaptureFixture[str],
) -> None:
    namespace: dict[str, Any] = {"__name__": "example"}
    exec(compile(example("Transcriber("), "docs/stt.md", "exec"), namespace)
    script = [ScriptedWord("hello", 100, 400), ScriptedWord("there", 450, 800)]
    knobs = Knobs(begin_delay_ms=0, termination_delay_ms=5)
    async with AssemblyAIStandIn(scripts=[script], knobs=knobs) as stand_in:
        await namespace["transcribe"](stand_in.url, LOCAL_KEY, bytes(2 * 16_000))
    assert "hello there" in capsys.readouterr().out


def test_every_argument_that_is_listed_is_taken() -> None:
    rows = re.findall(r"^\| (`\w+`.*?) \| (.*?) \|", PAGE.split("| argument |")[1], re.MULTILINE)
    listed = [name for cell, _ in rows for name in re.findall(r"`([a-z_]+)`", cell)]
    arguments = [name for name in listed if name.endswith(("_ms", "_seconds", "_speed"))]
    assert len(arguments) >= 10
    taken = STT.__init__.__kwdefaults__
    assert set(arguments) <= set(taken)
    for cell, default in rows:
        for name in re.findall(r"`([a-z_]+)`", cell):
            if name in arguments:
                shipped = "never" if taken[name] is None else f"{float(taken[name]):g}"
                assert default == shipped
