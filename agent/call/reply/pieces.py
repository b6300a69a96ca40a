"""What an agent's nodes make: pieces, one after the other."""

import inspect
from collections.abc import AsyncGenerator
from typing import Any

from livekit.agents import llm


def has_begun(chunk: object) -> bool:
    """Whether a piece of the model's answer has words, or calls a tool."""
    if isinstance(chunk, llm.ChatChunk):
        return bool(chunk.delta and (chunk.delta.content or chunk.delta.tool_calls))
    return bool(chunk)


async def each_of(made: Any) -> AsyncGenerator[Any]:
    """What a node makes, piece by piece. LiveKit's nodes may also return one text or nothing, and
    may have to be awaited. Closes what it reads."""
    made = await made if inspect.isawaitable(made) else made
    if isinstance(made, str):
        yield made
    elif made is not None:
        try:
            async for piece in made:
                yield piece
        finally:
            if hasattr(made, "aclose"):
                await made.aclose()
