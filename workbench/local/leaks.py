"""Whether anything that a system wrote or shows holds a secret, or what somebody said in a call."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

__all__ = ["leaks", "said_to_models", "titles"]

import psutil

_WORD = re.compile(r"\w+")
_RUN = 4
"""So many words in a row that somebody said are a quotation: no other sentence has them."""


def leaks(texts: Mapping[str, str], secrets: Iterable[str], said: Iterable[str]) -> list[str]:
    """What is in these texts and should not be, a line each; `texts` by the names of their places.

    A secret is looked for as it is, and `said` as runs of four words, whatever is between them.
    """
    known = {each for each in secrets if each}
    runs = {run for sentence in said for run in _runs(sentence)}
    return [
        f"{place}: {what}"
        for place, text in texts.items()
        for what in (
            *(f"the secret {secret[:4]}..." for secret in sorted(known) if secret in text),
            *sorted({f"somebody said {run!r}" for run in _runs(text) if run in runs}),
        )
    ]


def said_to_models(requests: Iterable[Mapping[str, Any]]) -> set[str]:
    """What callers said, by the requests that a language model got (`openai/requests`)."""
    return {
        str(message["content"])
        for request in requests
        for message in (request["body"] or {}).get("messages", ())
        if message["role"] == "user"
    }


def titles(process: psutil.Process) -> str:
    """What `ps` shows of a program and all that it started."""
    family = [process, *process.children(recursive=True)]
    lines = []
    for each in family:
        try:
            lines.append(" ".join(each.cmdline()))
        except psutil.Error:  # it has just ended
            continue
    return "\n".join(lines)


def _runs(text: str) -> Iterator[str]:
    words = _WORD.findall(text.lower())
    for start in range(len(words) - _RUN + 1):
        yield " ".join(words[start : start + _RUN])
