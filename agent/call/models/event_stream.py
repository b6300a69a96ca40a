"""Server-sent events: bytes in, the data of each event out. Pure."""

from collections.abc import Iterator

BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class Events:
    """Cuts a stream into events. Leaves out comments, which keep a connection open, and all fields
    but `data`.

    A server that does not stream sends a JSON object instead. That is one event, which is complete
    at the stream's end.
    """

    def __init__(self) -> None:
        self._rest = b""
        self._data: list[bytes] = []
        self._has_begun = False
        self._is_object = False

    def push(self, piece: bytes) -> Iterator[str]:
        """Add bytes. Returns the events that are now complete."""
        *lines, self._rest = (self._rest + piece).replace(b"\r\n", b"\n").split(b"\n")
        for line in lines:
            if not self._has_begun:
                line = self._begin(line)
            if self._is_object:
                self._data.append(line)
            elif line.startswith(b"data:"):
                self._data.append(line[5:].removeprefix(b" "))
            elif not line.strip() and self._data:
                yield self._take()

    def flush(self) -> Iterator[str]:
        """The last event, if the stream ends without an empty line after it."""
        yield from self.push(b"\n\n")
        if self._is_object:
            yield self._take()

    def _begin(self, line: bytes) -> bytes:
        """Recognise the kind of stream by its first line that is not empty."""
        line = line.removeprefix(BYTE_ORDER_MARK)
        self._has_begun = bool(line.strip())
        self._is_object = line.lstrip().startswith(b"{")
        return line

    def _take(self) -> str:
        data, self._data = b"\n".join(self._data), []
        return data.decode("utf-8", "replace")
