"""The pages `/livez` and `/readyz`: 200 or 503, the reason in one line, or JSON if it is asked for.

The event loop that runs the worker answers them, so a loop that stands still answers nothing.
`/readyz?exclude=full&exclude=busy` answers as if these obstacles were none, as pages of Kubernetes'
own do.
"""

from collections.abc import Callable, Collection, Sequence
from typing import Any

from aiohttp import web
from aiohttp.helpers import parse_mimetype

from agent.worker.health import Health

LIVE, READY = "/livez", "/readyz"
_FRESH = {"Cache-Control": "no-store"}

Judge = Callable[[Health, Collection[str]], tuple[bool, str, dict[str, Any]]]


def health_pages(look: Callable[[], Health]) -> Sequence[web.RouteDef]:
    """Routes for both pages. `look` is called at each request."""

    def page(path: str, judge: Judge) -> web.RouteDef:
        async def show(request: web.Request) -> web.Response:
            is_well, text, document = judge(look(), request.query.getall("exclude", []))
            status = 200 if is_well else 503
            if _wants_json(request.headers.get("Accept", "")):
                return web.json_response(document, status=status, headers=_FRESH)
            return web.Response(text=f"{text}\n", status=status, headers=_FRESH)

        return web.get(path, show)

    return [page(LIVE, lambda health, _: health.live()), page(READY, Health.ready)]


def _wants_json(accept: str) -> bool:
    """Whether this header `Accept` names JSON. With `q=0` it says that JSON is not wanted."""
    found = map(parse_mimetype, accept.split(","))
    named = [each for each in found if (each.type, each.subtype) == ("application", "json")]
    return any(each.parameters.get("q", "1").strip("0.") for each in named)
