"""`python agent.py token`, as somebody types it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from livekit import api

ROOT = Path(__file__).parents[3]
SECRET = "a-livekit-secret-of-32-characters-or-more"
PROJECT = {
    "LIVEKIT_URL": "wss://mine.livekit.cloud",
    "LIVEKIT_API_KEY": "APIkey",
    "LIVEKIT_API_SECRET": SECRET,
}


def token(*words: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """Run the command with these settings alone; no other provider has a key."""
    ours = ("LIVEKIT", "ASSEMBLYAI", "OPENAI", "AGENT")
    clean = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    return subprocess.run(
        [sys.executable, str(ROOT / "agent.py"), "token", *words],
        cwd=ROOT / "tests",
        env=clean | settings,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_it_prints_what_the_token_allows_and_which_agent_it_brings() -> None:
    done = token("--room", "lobby", "--identity", "ann", **PROJECT, AGENT_NAME="receptionist")
    assert done.returncode == 0
    assert done.stderr == ""
    told = dict(line.split(maxsplit=1) for line in done.stdout.splitlines() if line[0] != " ")
    claims = api.TokenVerifier("APIkey", SECRET).verify(told["Token"])
    assert claims.identity == "ann"
    assert claims.room_config
    assert claims.room_config.agents[0].agent_name == "receptionist"
    assert told["URL"] == "wss://mine.livekit.cloud"
    assert "'lobby'" in told["Allows"]
    assert "'receptionist'" in told["Brings"]
    assert SECRET not in done.stdout


def test_a_program_gets_one_json_object() -> None:
    done = token("--json", "--agent", "bob", "--ttl", "10m", **PROJECT, AGENT_NAME="receptionist")
    told = json.loads(done.stdout)
    claims = api.TokenVerifier("APIkey", SECRET).verify(told["token"])
    assert claims.room_config
    assert claims.room_config.agents[0].agent_name == "bob" == told["agent_name"]
    assert claims.video
    assert claims.video.room == told["room"]
    assert told["ttl_seconds"] == 600


def test_without_a_name_it_says_that_the_agent_comes_by_itself() -> None:
    done = token(**PROJECT)
    assert "without a name" in done.stdout


@pytest.mark.parametrize(
    ("words", "settings", "said"),
    [
        ((), {**PROJECT, "LIVEKIT_API_SECRET": ""}, "LIVEKIT_API_SECRET: is missing"),
        ((), {**PROJECT, "LIVEKIT_URL": "mine"}, "LIVEKIT_URL: must start with"),
        (("--ttl", "soon"), PROJECT, "--ttl is a number and a unit"),
        (("--ttl", "0s"), PROJECT, "--ttl is a number and a unit"),
        (("--room", "r" * 300), PROJECT, "--room has at most 256"),
    ],
)
def test_what_is_wrong_is_one_sentence_and_code_2(
    words: tuple[str, ...], settings: dict[str, str], said: str
) -> None:
    done = token(*words, **settings)
    assert done.returncode == 2
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert done.stdout == ""
