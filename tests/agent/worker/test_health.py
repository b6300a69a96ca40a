"""What a worker says of itself, in words and for machines."""

from dataclasses import replace

import pytest

from agent.worker.health import Health

WELL = Health(
    registered=True,
    draining=False,
    starts_processes=True,
    calls=2,
    places_free=6,
    shortage=None,
    providers_down=(),
)


def test_a_worker_in_good_health_is_alive_and_ready() -> None:
    assert WELL.live() == (True, "alive", {"alive": True, "reason": "alive", "calls": 2})
    assert WELL.ready() == (
        True,
        "ready (places free: 6, calls: 2)",
        {
            "ready": True,
            "reason": "ready (places free: 6, calls: 2)",
            "obstacles": [],
            "registered": True,
            "draining": False,
            "starts_processes": True,
            "calls": 2,
            "places_free": 6,
            "shortage": None,
            "providers_down": (),
        },
    )


@pytest.mark.parametrize(
    ("change", "codes", "words"),
    [
        ({"registered": False}, ["unregistered"], "not registered with LiveKit"),
        ({"shortage": "full"}, ["full"], "no place is free"),
        ({"shortage": "busy"}, ["busy"], "the machine is too busy for another call"),
        (
            {"shortage": "limited"},
            ["limited"],
            "AssemblyAI grants no new session within seconds",
        ),
        ({"draining": True, "places_free": 0}, ["draining"], "draining: it takes no more calls"),
        (
            {"starts_processes": False, "shortage": "limited"},
            ["no_processes"],
            "job processes cannot be started",
        ),
        ({"providers_down": ("stt",)}, ["stt_down"], "the speech recognition is down"),
        (
            {"registered": False, "providers_down": ("llm", "tts")},
            ["unregistered", "llm_down", "tts_down"],
            "not registered with LiveKit; the language model is down; the speech synthesis is down",
        ),
    ],
)
def test_each_obstacle_is_named(change: dict[str, object], codes: list[str], words: str) -> None:
    ready, text, document = replace(WELL, **change).ready()  # type: ignore[arg-type]
    assert not ready
    assert text == f"not ready: {words}"
    assert document["obstacles"] == codes
    assert "\n" not in text


def test_a_worker_that_can_start_nothing_lives_while_it_has_calls() -> None:
    unable = replace(WELL, starts_processes=False)
    assert unable.live()[:2] == (True, "job processes cannot be started")
    alive, text, document = replace(unable, calls=0).live()
    assert not alive
    assert text.endswith("start this worker again")
    assert document == {"alive": False, "reason": text, "calls": 0}
