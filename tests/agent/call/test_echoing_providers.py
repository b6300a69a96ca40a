"""A provider whose error repeats the key and the request: nothing of either is in the log."""

import contextlib
import io
import json
import logging
from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from livekit.agents import APIConnectOptions, APIError, ChatContext

from agent import log
from agent.call.providers import Clients, build_llm, build_tts
from config.load import load_settings
from config.secrets import secrets_of
from config.settings import Settings
from workbench.standins.listening import Listener

KEY = "xyzzy-of-the-operator's-own-company"
OPTIONS = APIConnectOptions(max_retry=1, timeout=5, retry_interval=0)
SAID = "my card number is forty nine twenty nine eleven eleven"

pytestmark = pytest.mark.usefixtures("_restored_logging")


async def _echo(request: web.Request) -> web.StreamResponse:
    """400 and everything that came; or the same in the first event of a stream."""
    echo = f"{request.headers['Authorization']} sent {await request.text()}"
    body = {"error": {"message": echo, "type": "invalid", "code": 400}}
    if not request.path.startswith("/stream"):
        return web.json_response(body, status=400)
    return web.Response(text=f"data: {json.dumps(body)}\n\n", content_type="text/event-stream")


@contextlib.asynccontextmanager
async def echoing(prefix: str) -> AsyncIterator[Settings]:
    """The settings of a worker whose model and voice are at such a provider."""
    app = web.Application()
    app.router.add_post("/{tail:.*}", _echo)
    async with Listener(app) as listener:
        given = {
            "livekit": {"url": "ws://h", "api_key": "APIkey", "api_secret": "a-livekit-secret"},
            "assemblyai": {"api_key": "an-assemblyai-key"},
            "openai": {
                "api_key": KEY,
                "base_url": f"http://{listener.address}{prefix}/v1",
                "patience_seconds": 2,
            },
        }
        yield load_settings(None, given=given)


@pytest.mark.parametrize("prefix", ["", "/stream"])
@pytest.mark.parametrize("level", ["info", "debug"])
async def test_the_log_has_the_error_and_nothing_that_it_repeats(prefix: str, level: str) -> None:
    stream = io.StringIO()
    async with echoing(prefix) as settings:
        log.configure(level, "json", secrets=secrets_of(settings), stream=stream)
        clients = Clients.of(settings.openai)
        model, voice = build_llm(settings.openai, clients), build_tts(settings.openai, clients)
        history = ChatContext.empty()
        history.add_message(role="system", content="You are the secretary of a bank in Zurich.")
        history.add_message(role="user", content=SAID)
        for ask in (
            lambda: model.chat(chat_ctx=history, conn_options=OPTIONS),
            lambda: voice.synthesize(SAID, conn_options=OPTIONS),
        ):
            try:
                async with ask() as answer:
                    async for _ in answer:
                        pass
            except APIError as error:
                logging.getLogger("livekit.agents").exception("it failed")
                logging.getLogger("agent").error("failed", extra={"error": str(error), "of": error})  # noqa: TRY400
        await model.aclose()
        await voice.aclose()
        await clients.aclose()
    written = stream.getvalue()
    assert "it failed" in written
    for part in ("xyzzy", "company", "card", "eleven", "secretary", "Zurich"):
        assert part not in written, written
