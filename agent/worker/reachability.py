"""What has to be true before anything is started: LiveKit is there and takes our key."""

import asyncio

import aiohttp
from livekit import api
from livekit.agents.utils import http_context

from config.services import LiveKitSettings

DEADLINE_SECONDS = 10


class UnreachableError(Exception):
    """LiveKit is not there, or does not take our key: one sentence that says what to change."""


def require_certificates() -> None:
    """Return when TLS can be had. Raises UnreachableError.

    Without it no job process can be made ready, and LiveKit would try for ever.
    """
    try:
        http_context._create_ssl_context()
    except OSError as error:
        raise UnreachableError(
            "The certificates that SSL_CERT_FILE or SSL_CERT_DIR name cannot be read "
            f"({error.strerror}): correct the variable, or unset it."
        ) from None


async def require_livekit(livekit: LiveKitSettings) -> None:
    """Return when LiveKit answers and accepts the key. Raises UnreachableError."""
    key, secret = livekit.api_key.get_secret_value(), livekit.api_secret.get_secret_value()
    timeout = aiohttp.ClientTimeout(total=DEADLINE_SECONDS)
    try:
        async with api.LiveKitAPI(livekit.url, key, secret, timeout=timeout) as client:
            await client.room.list_rooms(api.ListRoomsRequest(names=["-"]))
    except api.TwirpError as error:
        raise UnreachableError(_refusal(livekit, error.status, error.message)) from None
    except (TimeoutError, aiohttp.ClientError, OSError, ValueError) as error:
        raise UnreachableError(
            f"LiveKit does not answer at {livekit.url} ({_cause(error)}): "
            "check LIVEKIT_URL, and that the server runs; `make run` starts one here."
        ) from None


def _refusal(livekit: LiveKitSettings, status: int, message: str) -> str:
    if status not in (401, 403):
        return (
            f"LIVEKIT_URL={livekit.url} answers, but not as a LiveKit server "
            f"(HTTP {status}: {message})."
        )
    key, secret = livekit.api_key.get_secret_value(), livekit.api_secret.get_secret_value()
    swapped = secret.startswith("API") or len(key) > len(secret)
    return f"LiveKit at {livekit.url} refuses the key and the secret: " + (
        "LIVEKIT_API_KEY and LIVEKIT_API_SECRET look swapped; "
        "the key is the short one that starts with API."
        if swapped
        else "check LIVEKIT_API_KEY and LIVEKIT_API_SECRET; "
        "they belong together and to this server."
    )


def _cause(error: BaseException) -> str:
    if isinstance(error, asyncio.TimeoutError):
        return f"no answer within {DEADLINE_SECONDS} s"
    if isinstance(error, aiohttp.ClientConnectorError):
        return error.os_error.strerror or str(error.os_error) or type(error.os_error).__name__
    return str(error) or type(error).__name__
