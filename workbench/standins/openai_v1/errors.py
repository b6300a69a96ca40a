"""Faults in OpenAI's own JSON shape."""

from collections.abc import Mapping

from aiohttp import web
from pydantic import ValidationError

KINDS = {401: "invalid_request_error", 429: "requests", 500: "server_error", 503: "server_error"}
TEXTS = {
    429: "Rate limit reached. Please try again later.",
    500: "The server had an error while processing your request. Sorry about that!",
    503: "The engine is currently overloaded, please try again later.",
}
CODES = {429: "rate_limit_exceeded"}


def failure(
    status: int,
    text: str | None = None,
    *,
    code: str | None = None,
    param: str | None = None,
    headers: Mapping[str, str] | None = None,
) -> web.Response:
    """An answer with this status."""
    error = {
        "message": text or TEXTS.get(status, "The request failed."),
        "type": KINDS.get(status, "invalid_request_error"),
        "param": param,
        "code": code or CODES.get(status),
    }
    return web.json_response({"error": error}, status=status, headers=headers)


def invalid_request(invalid: ValidationError) -> web.Response:
    """400 for the first fault of a body."""
    fault = invalid.errors(include_url=False)[0]
    name = ".".join(str(part) for part in fault["loc"])
    if fault["type"] == "missing":
        text, code = f"Missing required parameter: '{name}'.", "missing_required_parameter"
    else:
        text, code = f"Invalid value for '{name}': {fault['msg']}.", "invalid_value"
    return failure(400, text, code=code, param=name)


def wrong_key() -> web.Response:
    """401, without the key."""
    text = (
        "Incorrect API key provided. You can find your API key at "
        "https://platform.openai.com/account/api-keys."
    )
    return failure(401, text, code="invalid_api_key")
