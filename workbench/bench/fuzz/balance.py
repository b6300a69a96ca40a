"""What holds for the events of every stream, whatever the service says."""

from collections.abc import Iterable

from stt_assemblyai.events import EndOfSpeech, Final, Interim, Preflight, StartOfSpeech

__all__ = ["Balance"]


class Balance:
    """Fails on the first event that may not follow the ones before it."""

    def __init__(self) -> None:
        self.speaking = self.final = False

    def check(self, events: Iterable[object]) -> None:
        """Raises `AssertionError`."""
        for event in events:
            match event:
                case StartOfSpeech():
                    assert not self.speaking, "a start in a turn"
                    self.speaking, self.final = True, False
                case EndOfSpeech():
                    assert self.speaking, "an end without a start"
                    self.speaking = False
                case Interim() | Preflight() | Final():
                    assert self.speaking, "words outside a turn"
                    assert not self.final, "words after the final"
                    assert event.transcript.text, "no words"
                    self.final = isinstance(event, Final)
                case _:
                    pass
