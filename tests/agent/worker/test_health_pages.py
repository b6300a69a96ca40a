"""The pages for probes, over HTTP."""

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from agent.worker.health import Health
from agent.worker.health_pages import health_pages

Client = TestClient[web.Request, web.Application]


def full(*, places_free: int) -> Health:
    return Health(
        registered=True,
        draining=False,
        starts_processes=places_free >= 0,
        calls=0,
        places_free=places_free,
        shortage=None,
        providers_down=("tts",) if places_free < 2 else (),
    )


def pages(*states: Health) -> web.Application:
    app = web.Application()
    left = list(states)
    app.add_routes(health_pages(lambda: left.pop(0)))
    return app


async def test_the_status_and_one_line_say_how_it_is_at_each_request() -> None:
    app = pages(full(places_free=2), full(places_free=1), full(places_free=2), full(places_free=-1))
    async with TestClient(TestServer(app)) as client:
        for path, status, text in (
            ("/readyz", 200, "ready (places free: 2, calls: 0)\n"),
            ("/readyz", 503, "not ready: the speech synthesis is down\n"),
            ("/livez", 200, "alive\n"),
            (
                "/livez",
                503,
                "job processes cannot be started, and there are no calls: "
                "start this worker again\n",
            ),
        ):
            answer = await client.get(path)
            assert (answer.status, await answer.text()) == (status, text)
            assert answer.headers["Cache-Control"] == "no-store"


async def test_obstacles_that_do_not_matter_to_whoever_asks_are_left_out() -> None:
    app = pages(*(full(places_free=1) for _ in range(3)))
    async with TestClient(TestServer(app)) as client:
        for query, status in (
            ("exclude=tts_down", 200),
            ("exclude=full&exclude=tts_down", 200),
            ("exclude=full", 503),
        ):
            answer = await client.get(f"/readyz?{query}", headers={"Accept": "application/json"})
            assert answer.status == status
            document = await answer.json()
            assert document["ready"] is (status == 200)
            assert document["obstacles"] == ([] if status == 200 else ["tts_down"])


async def test_json_is_given_to_whoever_asks_for_it() -> None:
    async with TestClient(TestServer(pages(full(places_free=1)))) as client:
        answer = await client.get("/readyz", headers={"Accept": "application/json"})
        assert answer.status == 503
        document = await answer.json()
    assert document["ready"] is False
    assert document["obstacles"] == ["tts_down"]
    assert document["providers_down"] == ["tts"]


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("Application/JSON", "application/json"),
        ("text/html, application/json;q=0.5", "application/json"),
        ("application/json; Q=0", "text/plain"),
        ("application/json;q=0.000, text/plain", "text/plain"),
        ("application/json-seq", "text/plain"),
        ("*/*", "text/plain"),
    ],
)
async def test_json_is_given_for_its_media_type_alone(accept: str, kind: str) -> None:
    async with TestClient(TestServer(pages(full(places_free=2)))) as client:
        answer = await client.get("/livez", headers={"Accept": accept})
        assert answer.content_type == kind
