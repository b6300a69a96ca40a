"""What a span may hold when it leaves: no conversation, no person, no key.

LiveKit marks what people said with `lk.pii.`, and the names of the GenAI convention for the same
are fixed. Both are left out unless wanted, and with them what LiveKit does not mark: identities,
headers of telephone calls, messages of exceptions. Every text that stays is searched for secrets.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.trace import Status

from agent.personal_data import CARDS, Rules
from agent.redaction import Redaction

GEN_AI = frozenset(
    {
        "gen_ai.input.messages",
        "gen_ai.output.messages",
        "gen_ai.system_instructions",
        "gen_ai.tool.call.arguments",
        "gen_ai.tool.call.result",
        "gen_ai.tool.description",
        "gen_ai.tool.definitions",
        "gen_ai.retrieval.query.text",
        "gen_ai.retrieval.documents",
        "gen_ai.memory.query.text",
        "gen_ai.memory.records",
        "gen_ai.evaluation.explanation",
    }
)
"""What the convention marks as likely to be sensitive."""

UNMARKED = frozenset(
    {
        "exception.message",
        "exception.stacktrace",
        "lk.rpc.caller_identity",
        "lk.rpc.destination_identity",
    }
)
"""What may be personal and has no mark. The class of an exception stays, in `exception.type`."""

SIP = "lk.sip."
PLAIN_SIP = frozenset(
    f"{SIP}{name}"
    for name in ("callID", "callIDFull", "callStatus", "trunkID", "trunkPhoneNumber", "ruleID")
)
"""What is known of a telephone call; all else of it, such as its headers, is the caller's."""

EVENTS = frozenset(
    {
        "gen_ai.system.message",
        "gen_ai.user.message",
        "gen_ai.assistant.message",
        "gen_ai.tool.message",
        "gen_ai.choice",
        "gen_ai.client.inference.operation.details",
    }
)
"""Events that consist of what was said."""


def is_content(name: str) -> bool:
    """Whether this attribute holds what was said, or who said it."""
    return (
        "pii" in name.split(".")
        or name in GEN_AI
        or name in UNMARKED
        or name.startswith("gen_ai.prompt.variable")
        or (name.startswith(SIP) and name not in PLAIN_SIP)
    )


class Contents:
    """Takes out of spans what must not leave this process."""

    def __init__(self, secrets: Iterable[str], *, wanted: bool, rules: Rules = CARDS) -> None:
        self._wanted = wanted
        self._rules = rules
        self._redaction = Redaction(secrets, transcripts=wanted)

    def without(self, span: ReadableSpan) -> ReadableSpan:
        """The same span with what may leave; the one that is given stays as it is."""
        status = span.status
        if status.description:
            shown = self._text(status.description) if self._wanted else None
            status = Status(status.status_code, shown)
        return ReadableSpan(
            name=self._text(span.name),
            context=span.context,
            parent=span.parent,
            resource=span.resource,
            attributes=self.attributes(span.attributes),
            events=[
                Event(each.name, self.attributes(each.attributes), each.timestamp)
                for each in span.events
                if self._wanted or each.name not in EVENTS
            ],
            links=span.links,
            kind=span.kind,
            status=status,
            start_time=span.start_time,
            end_time=span.end_time,
            instrumentation_scope=span.instrumentation_scope,
        )

    def attributes(self, found: Mapping[str, Any] | None) -> dict[str, Any]:
        """The attributes that may leave, each text without secrets."""
        return {
            name: self._clean(value)
            for name, value in (found or {}).items()
            if self._wanted or not is_content(name)
        }

    def _clean(self, value: Any) -> Any:
        if isinstance(value, str):
            return self._text(value)
        if isinstance(value, tuple):
            return tuple(map(self._clean, value))
        return value

    def _text(self, text: str) -> str:
        text = self._redaction.without_secrets(text)
        return self._rules.masked(text) if self._wanted else text
