"""What a model refuses to answer, and what a voice refuses to say: neither counts as a failure."""

from livekit.agents import APIError, ChatContext, ChatMessage

from agent.call.history.marked import mark_of


class NothingSpokenError(APIError):
    """The voice could speak no piece of a speech. This does not count as a failure of the voice."""

    def __init__(self, message: str = "Nothing of a speech could be spoken.") -> None:
        super().__init__(message, retryable=False)


class Withheld:
    """What the model no longer reads, because it refused to answer it."""

    def __init__(self) -> None:
        self._ids: set[str] = set()
        self._has_refused = False

    def sendable(self, history: ChatContext) -> ChatContext:
        """The history without what is withheld."""
        return ChatContext([item for item in history.items if item.id not in self._ids])

    def answered(self) -> None:
        """The model has answered."""
        self._has_refused = False

    def refused(self, sent: ChatContext) -> None:
        """The model refused to answer this. Withhold what the caller said last; at the second
        refusal in a row, withhold all that was said: then something older is the cause."""
        said = [item for item in sent.items if isinstance(item, ChatMessage) and _is_said(item)]
        asked = [at for at, item in enumerate(said) if item.role == "user" and not mark_of(item)]
        since = 0 if self._has_refused or not asked else asked[-1]
        self._ids |= {item.id for item in said[since:]}
        self._has_refused = True


def _is_said(item: ChatMessage) -> bool:
    return item.role in ("user", "assistant")
