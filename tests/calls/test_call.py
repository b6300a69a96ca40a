"""`python agent.py call` as a pipeline runs it, against a real LiveKit server and worker."""

import asyncio
import json
import sys
import wave
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agent.caller.microphone import SAMPLE_RATE
from agent.caller.outcome import Exit
from agent.caller.transcript import words
from workbench.local.running import PROJECT


@dataclass(frozen=True, slots=True)
class Done:
    code: int
    out: str
    err: str


async def run(worker: Any, folder: Path, *options: str, typed: str = "") -> Done:
    """Run `call` in a folder without a `.env`, with LiveKit's settings and the worker's name."""
    environment = dict(worker.process.command.environment)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, str(PROJECT / "agent.py"), "call", *options),
        cwd=folder,
        env=environment,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await asyncio.wait_for(process.communicate(typed.encode()), 120)
    assert process.returncode is not None
    return Done(process.returncode, out.decode(), err.decode())


async def test_a_pipeline_learns_from_a_call_whether_the_agent_hears_and_answers(
    worker: Any, tmp_path: Path, figure: Any
) -> None:
    out = tmp_path / "agent.wav"
    spoken = await run(
        worker,
        tmp_path,
        *("--phone", "--expect", "twelve", "--within", "20", "--out", str(out), "--json"),
    )
    assert (spoken.code, spoken.err) == (Exit.HEARD, "")
    found = json.loads(spoken.out)
    (turn,) = found["turns"]
    assert found["greeting"]["text"]
    assert "seven plus five" in words(turn["heard_as"])
    assert "twelve" in words(turn["answer"])
    figure(f"call: answer after {turn['latency_ms']} ms over the telephone")
    with wave.open(str(out)) as sound:
        assert (sound.getnchannels(), sound.getframerate()) == (1, SAMPLE_RATE)
        assert sound.getnframes() > 3 * SAMPLE_RATE
    typed, unasked = await asyncio.gather(
        run(
            worker,
            tmp_path,
            *("--text", "--expect", "twelve", "--expect", "a fish"),
            typed="What is seven plus five?\n\n",
        ),
        run(worker, tmp_path, "--agent", "somebody-else"),
    )
    assert (typed.code, typed.err) == (Exit.NOT_EXPECTED, "")
    lines = typed.out.splitlines()
    assert "     you  What is seven plus five?" in lines
    assert any(line.startswith("   agent") and "twelve" in line for line in lines)
    assert "Not heard      a fish" in lines
    assert not any("Not heard      twelve" in line for line in lines)
    assert (unasked.code, unasked.err) == (Exit.NO_AGENT, "")
    assert "Exit code      4: no agent came" in unasked.out
