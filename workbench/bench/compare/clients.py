"""The two that are compared. Both are made from the same arguments, by name."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import aiohttp
from livekit.agents import stt
from livekit.plugins import assemblyai

from stt_assemblyai.stt import STT

__all__ = ["CLIENTS", "OURS", "STOCK", "Client"]


@dataclass(frozen=True, slots=True)
class Client:
    """A name for the table's head, and what makes the client."""

    name: str
    make: Callable[..., stt.STT[Any]]


def _ours(*, http_session: aiohttp.ClientSession, **arguments: Any) -> stt.STT[Any]:
    return STT(**arguments)  # it opens connections of its own


OURS = Client("ours", _ours)
STOCK = Client("stock", assemblyai.STT)
CLIENTS = (OURS, STOCK)
