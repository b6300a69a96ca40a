"""What a model will not answer, and what a voice will not say: neither has failed by that."""

from livekit.agents import APIError, ChatContext, ChatMessage

from agent.call.marked import mark_of


class NothingSpokenError(APIError):
    """Of a whole speech nothing could be spoken, and the voice has not failed by that."""

    def __init__(self, message: str = "Nothing of a speech could be spoken.") -> None:
        super().__init__(message, retryable=False)


class Withheld:
    """What a model is not asked again, since it refused to answer it."""

    def __init__(self) -> None:
        self._ids: set[str] = set()
        self._has_refused = False

    def sendable(self, history: ChatContext) -> ChatContext:
        """A history without that."""
        return ChatContext([item for item in history.items if item.id not in self._ids])

    def answered(self) -> None:
        """The model has answered."""
        self._has_refused = False

    def refused(self, sent: ChatContext) -> None:
        """It refused to answer this. What the caller said last is withheld from it or, where it
        refuses twice in a row, all that was said, since the fault is in something older."""
        said = [item for item in sent.items if isinstance(item, ChatMessage) and _is_said(item)]
        asked = [at for at, item in enumerate(said) if item.role == "user" and not mark_of(item)]
        since = 0 if self._has_refused or not asked else asked[-1]
        self._ids |= {item.id for item in said[since:]}
        self._has_refused = True


def _is_said(item: ChatMessage) -> bool:
    return item.role in ("user", "assistant")
