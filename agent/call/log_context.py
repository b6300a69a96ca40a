"""What a call's log lines add: who the caller is and, if wanted, what is said."""

import logging

from livekit.agents import ChatMessage, ConversationItemAddedEvent, JobContext

from agent.log import pseudonym
from agent.redaction import PERSONAL

log = logging.getLogger(__name__)


def name_caller(job: JobContext, identity: str) -> None:
    """Add the caller to every log line of this call from now on, so that a search finds them all.

    The identity itself, which may be a telephone number, is added only where transcripts are.
    """
    job.log_context_fields = {**job.log_context_fields, **caller_fields(identity)}


def caller_fields(identity: str) -> dict[str, str]:
    """A participant's fields in a log line."""
    return {"caller": pseudonym(identity), f"{PERSONAL}caller_identity": identity}


def log_words(identity: str, text: str) -> None:
    """Log what a participant of a transcribed room says."""
    fields = {**caller_fields(identity), "role": "user", f"{PERSONAL}text": text}
    log.info("turn", extra=fields)


class TurnLog:
    """Logs what both sides say, turn by turn."""

    def on_item_added(self, event: ConversationItemAddedEvent) -> None:
        item = event.item
        if isinstance(item, ChatMessage) and item.role in ("user", "assistant"):
            fields = {"role": item.role, f"{PERSONAL}text": item.text_content or ""}
            log.info("turn", extra=fields)
