"""Checks before anything is started that LiveKit answers and accepts our key."""

import asyncio
import logging

import aiohttp
from livekit import api

from agent.livekit_private import certificates
from agent.worker.livekit_api import DEADLINE_SECONDS, livekit_api
from config.services import LiveKitSettings

log = logging.getLogger(__name__)

# The server refuses a token from its future. A clock that is a few seconds off is normal, and an
# answer takes its time.
CLOCK_SKEW_SECONDS = 30
REFUSED_STATUSES = (401, 403)


class LiveKitUnreachableError(Exception):
    """LiveKit does not answer or refuses our key; the message says what to change."""


class KeyRefusedError(LiveKitUnreachableError):
    """LiveKit refuses our key; asking again changes nothing."""


def require_certificates() -> None:
    """Return if the certificates can be read. Raises LiveKitUnreachableError.

    Without them no job process becomes ready, and LiveKit would try for ever.
    """
    try:
        certificates()
    except OSError as error:
        raise LiveKitUnreachableError(
            "The certificates that SSL_CERT_FILE or SSL_CERT_DIR name cannot be read "
            f"({error.strerror}): correct the variable, or unset it."
        ) from None


async def require_livekit(livekit: LiveKitSettings) -> None:
    """Return if LiveKit answers and accepts the key. Raises LiveKitUnreachableError."""
    try:
        async with livekit_api(livekit) as server:
            try:
                await server.client.room.list_rooms(api.ListRoomsRequest(names=["-"]))
            except api.TwirpError as error:
                ahead_seconds = server.clock_ahead_seconds or 0.0
                raise _refusal(livekit, error.status, error.message, ahead_seconds) from None
            if abs(ahead_seconds := server.clock_ahead_seconds or 0.0) > CLOCK_SKEW_SECONDS:
                log.warning("the clock is off", extra={"clock": _clock(ahead_seconds)})
    except aiohttp.ClientResponseError as error:
        raise _stranger(livekit, error.status, error.message) from None
    except (TimeoutError, aiohttp.ClientError, OSError, ValueError) as error:
        raise LiveKitUnreachableError(
            f"LiveKit does not answer at {livekit.url} ({_cause(error)}): "
            "check LIVEKIT_URL, and that the server runs; `make run` starts one here."
        ) from None


def _refusal(
    livekit: LiveKitSettings, status: int, message: str, ahead_seconds: float
) -> LiveKitUnreachableError:
    if status not in REFUSED_STATUSES:
        return _stranger(livekit, status, message)
    if abs(ahead_seconds) > CLOCK_SKEW_SECONDS:
        return KeyRefusedError(
            f"LiveKit at {livekit.url} refuses our token: {_clock(ahead_seconds)}; set the clock "
            "(with a wrong one no key can be told from a right one)."
        )
    key, secret = livekit.api_key.get_secret_value(), livekit.api_secret.get_secret_value()
    swapped = secret.startswith("API") or len(key) > len(secret)
    return KeyRefusedError(
        f"LiveKit at {livekit.url} refuses the key and the secret: "
        + (
            "LIVEKIT_API_KEY and LIVEKIT_API_SECRET look swapped; "
            "the key is the short one that starts with API."
            if swapped
            else "check LIVEKIT_API_KEY and LIVEKIT_API_SECRET; "
            "they belong together and to this server."
        )
    )


def _stranger(livekit: LiveKitSettings, status: int, message: str) -> LiveKitUnreachableError:
    return LiveKitUnreachableError(
        f"LIVEKIT_URL={livekit.url} answers, but not as a LiveKit server "
        f"(HTTP {status}: {message[:200]})."
    )


def _clock(ahead_seconds: float) -> str:
    direction = "ahead of" if ahead_seconds > 0 else "behind"
    return f"this machine's clock is {abs(ahead_seconds):.0f} s {direction} the server's"


def _cause(error: BaseException) -> str:
    if isinstance(error, asyncio.TimeoutError):
        return f"no answer within {DEADLINE_SECONDS:.0f} s"
    if isinstance(error, aiohttp.ClientConnectorError):
        return error.os_error.strerror or str(error.os_error) or type(error.os_error).__name__
    return str(error) or type(error).__name__
