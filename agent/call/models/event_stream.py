"""Server-sent events: bytes in, the data of each event out. Pure."""

from collections.abc import Iterator


class Events:
    """Cuts a stream into events. Comments, which servers send to keep a connection open, and
    fields other than `data` are left out."""

    def __init__(self) -> None:
        self._rest = b""
        self._data: list[bytes] = []

    def push(self, piece: bytes) -> Iterator[str]:
        """The events that are complete with this piece."""
        *lines, self._rest = (self._rest + piece).replace(b"\r\n", b"\n").split(b"\n")
        for line in lines:
            if line.startswith(b"data:"):
                self._data.append(line[5:].removeprefix(b" "))
            elif not line.strip() and self._data:
                yield self._take()

    def flush(self) -> Iterator[str]:
        """The last event, where the stream ends without an empty line behind it."""
        yield from self.push(b"\n\n")

    def _take(self) -> str:
        data, self._data = b"\n".join(self._data), []
        return data.decode("utf-8", "replace")
