"""Removes what a model writes but should not say: its reasoning, and tool calls written as text.

LiveKit removes `<think>` if it has both tags. Other tags, and a closing one alone, come through.
"""

import re
from collections.abc import AsyncGenerator, AsyncIterable

from livekit.agents import FlushSentinel, llm

_BAR = "|\uff5c"  # in a model's own tokens
_NAMES = (
    "think", "thinking", "thought", "thoughts", "reasoning", "reflection", "scratchpad",
    "tool_call", "tool_calls", "tool_use", "tool_response", "tool_result", "function_call",
    "function_calls", "function", "invoke",
)  # fmt: skip
# <thinking>, </thinking>, <function=end_call>, <invoke name="end_call">, <|im_end|>
_TAG = re.compile(
    rf"<(?P<closes>/?)(?P<name>{'|'.join(_NAMES)})(?:[\s=][^<>]{{0,100}})?>"
    rf"|<[{_BAR}][^<>]{{1,60}}[{_BAR}]>",
    re.IGNORECASE,
)
_LONGEST_TAG = 128
Chunk = llm.ChatChunk | str | FlushSentinel
LONGEST_HELD = 20_000
"""Characters of an answer that are held back until its reasoning ends, at most."""


class Reasoning:
    """Takes a model's reasoning out of its answers.

    Some models only close their reasoning, because their prompt has opened it. The first such
    answer may be spoken up to that tag. From the next answer on, nothing is spoken before the tag.
    """

    def __init__(self) -> None:
        self._is_opened_by_prompt = False

    async def without(self, answer: AsyncIterable[Chunk]) -> AsyncGenerator[Chunk]:
        """An answer without reasoning, as it comes. Tool calls and everything else pass."""
        text = _Text(self._is_opened_by_prompt)
        async for chunk in answer:
            if isinstance(chunk, str):
                yield text.push(chunk)
                continue
            if isinstance(chunk, llm.ChatChunk) and chunk.delta and chunk.delta.content:
                chunk.delta.content = text.push(chunk.delta.content)
            yield chunk
        yield text.flush()
        if text.has_words:
            self._is_opened_by_prompt = text.was_closed_only


class _Text:
    """One answer."""

    def __init__(self, is_open: bool) -> None:
        self.was_closed_only = False
        self.has_words = False
        self._awaits_close = is_open
        self._kept = ""  # text that is the answer if no closing tag comes
        self._held = ""  # what may be the beginning of a tag
        self._inside = ""  # the name of the tag that is open

    def push(self, text: str) -> str:
        self.has_words = True
        self._held += text
        said, seen = "", 0
        for tag in _TAG.finditer(self._held):
            said = self._pass(tag, said + self._outside(self._held[seen : tag.start()]))
            seen = tag.end()
        start = max(seen, _tag_begins_at(self._held))
        said += self._outside(self._held[seen:start])
        self._held = self._held[start:]
        return self._release(said)

    def flush(self) -> str:
        rest = self._kept + self._outside(self._held)
        self._kept = self._held = ""
        return rest

    def _outside(self, text: str) -> str:
        return "" if self._inside else text

    def _pass(self, tag: re.Match[str], said: str) -> str:
        """Take a tag. Returns what is left of the words before it."""
        name = (tag["name"] or "").lower()
        if self._inside:
            if tag["closes"] and name == self._inside:
                self._inside = ""
        elif not tag["closes"]:
            self._inside = name
        elif name:
            self.was_closed_only = True
            self._awaits_close = False
            self._kept = ""
            return ""
        return said

    def _release(self, said: str) -> str:
        if not self._awaits_close and not self._kept:
            return said
        self._kept += said
        if self._awaits_close and len(self._kept) <= LONGEST_HELD:
            return ""
        self._awaits_close = False
        released, self._kept = self._kept, ""
        return released


def _tag_begins_at(text: str) -> int:
    """Where an incomplete tag may begin; the end of the text if there is none."""
    start = text.rfind("<")
    if start < 0 or len(text) - start > _LONGEST_TAG or not _may_become_tag(text[start:]):
        return len(text)
    return start


def _may_become_tag(text: str) -> bool:
    name = text[1:].removeprefix("/").lower()
    if not name or name[0] in _BAR:
        return ">" not in name
    return ">" not in name and any(
        name.startswith(each) or each.startswith(name) for each in _NAMES
    )
