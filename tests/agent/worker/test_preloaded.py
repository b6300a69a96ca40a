"""What a job process finds loaded when its first call comes."""

import subprocess
import sys
from pathlib import Path

FIRST_REQUESTS = """
import sys
import agent.worker.preloaded
from openai import AsyncOpenAI
client, before = AsyncOpenAI(api_key="key"), set(sys.modules)
client.chat.completions.create, client.chat.completions.stream, client.audio.speech.create
print(sorted(set(sys.modules) - before))
"""


def test_the_first_answer_of_a_call_loads_no_module() -> None:
    """openai loads its resources when they are first named: 75 ms on the call's event loop."""
    root = Path(__file__).parents[3]
    done = subprocess.run(
        [sys.executable, "-c", FIRST_REQUESTS], cwd=root, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
