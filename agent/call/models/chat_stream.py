"""Reads a stream of chat completions: words and calls, its end, or that it broke off. Pure.

Servers differ in what they send between the words: empty deltas, `choices: null`, usage alone. The
plugin takes only what OpenAI sends, so each chunk is rewritten like that. A whole answer, from a
server that does not stream, becomes one chunk.
"""

import json
from collections.abc import Callable
from typing import Any
from uuid import uuid4

from agent.call.models.errors import CutError, EventError, RefusalError, ResponseError

Chunk = dict[str, Any]
# Finish reasons of an incomplete answer. The plugin gets "stop" for all others.
CUT_REASONS = frozenset({"length", "max_tokens", "model_length", "error"})
REFUSAL_REASONS = frozenset({"content_filter", "safety", "refusal"})


def new_call_id() -> str:
    """An id for a call without one, which its result will refer to."""
    return f"call_{uuid4().hex}"


class ChatStream:
    """Reads the chunks of one answer. `new_id` makes an id for a tool call without one."""

    def __init__(self, new_id: Callable[[], str] = new_call_id) -> None:
        self.has_finished = False
        """Whether a chunk has said that the answer is complete."""
        self.fault: ResponseError | None = None
        """Why there is no whole answer. Content of the same chunk may be passed on before."""
        self._new_id = new_id
        self._calls = 0
        self._call_key: tuple[object, object] = (None, None)
        """The server's index and id of the newest call."""
        self._arguments = ""
        """The arguments of the newest call so far."""

    def read(self, data: str) -> tuple[Chunk | None, bool]:
        """Read a chunk. Returns it as OpenAI would send it, or None if it says nothing; and whether
        it has content: words, or a piece of a tool call."""
        try:
            chunk = json.loads(data)
            # Drop lone surrogates: some servers send them, but no server takes them back.
            chunk = json.loads(json.dumps(chunk, ensure_ascii=False).encode(errors="ignore"))
        except (ValueError, RecursionError):
            return None, False
        if not isinstance(chunk, dict):
            return None, False
        if chunk.get("error") or "error" in (chunk.get("type"), chunk.get("object")):
            self.fault = EventError(chunk)
            return None, False
        choices = [self._choice(each) for each in _dicts(chunk.get("choices"))[:1]]
        usage = _usage(chunk.get("usage"))
        if not (usage or self.has_finished or any(set(c["delta"]) - {"role"} for c in choices)):
            return None, False
        name = chunk.get("id")
        shown = {**chunk, "id": name if isinstance(name, str) else "", "usage": usage}
        has_content = any(_has_content(each["delta"]) for each in choices)
        return {**shown, "choices": choices}, has_content

    def end(self) -> None:
        """The stream has ended."""
        if not (self.has_finished or self.fault):
            self.fault = CutError("the answer ended without finish_reason")

    def _choice(self, choice: Chunk) -> Chunk:
        whole, delta = choice.get("message"), choice.get("delta")
        reason = choice.get("finish_reason")
        if isinstance(whole, dict) and not isinstance(delta, dict):
            delta, reason = whole, reason or "stop"
        delta = self._delta(delta) if isinstance(delta, dict) else {}
        if isinstance(reason, str) and reason.lower() not in ("", "null", "none"):
            self._finish(reason.lower())
        # Given an end, the plugin would run a tool of which it has only half the call.
        if not self.has_finished or self.fault:
            reason = None
        elif reason != "tool_calls":
            reason = "stop"
        return {"index": 0, "delta": delta, "finish_reason": reason}

    def _finish(self, reason: str) -> None:
        self.has_finished = True
        if reason in REFUSAL_REASONS:
            self.fault = RefusalError(f"the answer was stopped: {reason}")
        elif reason in CUT_REASONS:
            self.fault = CutError(f"the answer was cut: {reason}")

    def _delta(self, delta: Chunk) -> Chunk:
        if isinstance(refusal := delta.get("refusal"), str) and refusal.strip():
            self.fault = RefusalError("the model refuses to answer")
        calls = [self._call(each) for each in _dicts(delta.get("tool_calls"))]
        kept = {
            **delta,
            "role": "assistant",
            "content": _text(delta.get("content")),
            "tool_calls": [call for call in calls if call],
        }
        return {name: value for name, value in kept.items() if value}

    def _call(self, piece: Chunk) -> Chunk | None:
        """A piece of a tool call as OpenAI sends it: each call has its own index, and its id and
        name come with the first piece only. Other servers give all calls the same index, send no
        id, or repeat the name."""
        function = piece.get("function")
        if not isinstance(function, dict):
            return None
        key = piece.get("index"), piece.get("id")
        changed: Chunk = {}
        if function.get("name") and self._begins_call(*key):
            self._calls += 1
            self._call_key, self._arguments = key, ""
            changed = {**piece, "id": key[1] or self._new_id()}
        elif not self._calls:
            return None
        arguments = function.get("arguments") or ""
        if not isinstance(arguments, str):
            arguments = json.dumps(arguments)
        self._arguments += arguments
        named = function if changed else {}
        return {
            **changed,
            "index": self._calls - 1,
            "function": {**named, "arguments": arguments},
        }

    def _begins_call(self, index: object, given_id: object) -> bool:
        """Whether a piece with a name begins another call, or repeats the name of the newest."""
        if not self._calls or index != self._call_key[0]:
            return True
        if given_id:
            return given_id != self._call_key[1]
        return _is_json(self._arguments)


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def _has_content(delta: Chunk) -> bool:
    return bool(delta.get("content", "").strip() or delta.get("tool_calls"))


def _dicts(value: object) -> list[Chunk]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _text(content: object) -> str:
    """A string, or the texts of a list of parts."""
    if isinstance(content, str):
        return content
    parts = [part.get("text") for part in _dicts(content)]
    return "".join(part for part in parts if isinstance(part, str))


def _usage(usage: object) -> Chunk | None:
    if not isinstance(usage, dict) or not usage:
        return None
    counts = ("prompt_tokens", "completion_tokens", "total_tokens")
    details = ("prompt_tokens_details", "completion_tokens_details")
    return {name: _count(usage.get(name)) for name in counts} | {
        name: usage[name] for name in details if isinstance(usage.get(name), dict)
    }


def _count(value: object) -> int:
    return value if isinstance(value, int) else 0
