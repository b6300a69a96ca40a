"""Bodies of `/v1/chat/completions`: one answer, or the chunks of a stream."""

import json
import re
import uuid
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from workbench.standins.openai_v1.conversation import Reply, content_text

Body = dict[str, Any]


class ChatRequest(BaseModel):
    """What the stand-in reads of the body."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    model: Annotated[str, Field(min_length=1)]
    messages: Annotated[list[Body], Field(min_length=1)]
    tools: list[Body] | None = None
    tool_choice: str | Body | None = None
    stream: bool | None = False
    stream_options: Body | None = None

    @property
    def offered_tools(self) -> list[Body]:
        """None if the client forbids them."""
        return [] if self.tool_choice == "none" else self.tools or []

    @property
    def wants_usage(self) -> bool:
        """Whether a stream ends with a chunk that tells the usage."""
        return bool((self.stream_options or {}).get("include_usage"))


def completion(reply: Reply, model: str, created: int, usage: Body) -> Body:
    """The whole answer at once."""
    calls = _calls(reply)
    message: Body = {"role": "assistant", "content": None if calls else reply.text, "refusal": None}
    if calls:
        message["tool_calls"] = calls
    choice = {
        "index": 0,
        "message": message,
        "logprobs": None,
        "finish_reason": _finish_reason(reply),
    }
    return {
        "id": f"chatcmpl-{uuid.uuid4().hex}",
        "object": "chat.completion",
        "created": created,
        "model": model,
        "choices": [choice],
        "usage": usage,
    }


def chunks(
    reply: Reply,
    model: str,
    created: int,
    usage: Body | None,
    finish_reason: str | None = None,
) -> Iterator[Body]:
    """The answer word by word; a last chunk with the usage if it was asked for.

    It ends with the usual reason, with the one that is given, or without one if that is empty.
    """
    frame: Body = {
        "id": f"chatcmpl-{uuid.uuid4().hex}",
        "object": "chat.completion.chunk",
        "created": created,
        "model": model,
    }
    if usage is not None:
        frame["usage"] = None

    def chunk(delta: Body, finish_reason: str | None = None) -> Body:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}
        return {**frame, "choices": [choice]}

    content = None if reply.tool_calls else ""
    yield chunk({"role": "assistant", "content": content, "refusal": None})
    for index, call in enumerate(_calls(reply)):
        function = call["function"]
        opening = {**call, "index": index, "function": {**function, "arguments": ""}}
        yield chunk({"tool_calls": [opening]})
        for piece in re.findall(r"(?s).{1,12}", function["arguments"]):
            yield chunk({"tool_calls": [{"index": index, "function": {"arguments": piece}}]})
    for token in re.findall(r"\s*\S+|\s+$", reply.text):
        yield chunk({"content": token})
    if finish_reason != "":
        yield chunk({}, finish_reason or _finish_reason(reply))
    if usage is not None:
        yield {**frame, "choices": [], "usage": usage}


def usage_of(messages: Sequence[Mapping[str, Any]], reply: Reply) -> Body:
    """Tokens, counted as words."""
    prompt = sum(len(content_text(message).split()) for message in messages)
    answer = len(reply.text.split()) + sum(len(str(call.arguments)) for call in reply.tool_calls)
    return {
        "prompt_tokens": prompt,
        "completion_tokens": answer,
        "total_tokens": prompt + answer,
        "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": 0, "audio_tokens": 0},
    }


def _finish_reason(reply: Reply) -> str:
    return "tool_calls" if reply.tool_calls else "stop"


def _calls(reply: Reply) -> list[Body]:
    return [
        {
            "id": f"call_{uuid.uuid4().hex[:24]}",
            "type": "function",
            "function": {"name": call.name, "arguments": json.dumps(dict(call.arguments))},
        }
        for call in reply.tool_calls
    ]
