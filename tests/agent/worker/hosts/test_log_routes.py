"""Each record of a process with several calls goes where its call's records go."""

import contextvars
import logging
import pickle
import socket
import struct

from agent.worker.hosts.log_routes import LogRoute, Routed


def told(end: socket.socket) -> list[str]:
    """The messages that have arrived by the end of the stream."""
    found = []
    with end.makefile("rb") as stream:
        while size := stream.read(4):
            record: logging.LogRecord = pickle.loads(stream.read(struct.unpack("!I", size)[0]))
            found.append(record.getMessage())
    end.close()
    return found


def test_a_record_goes_to_the_call_in_whose_context_it_is_written() -> None:
    here: contextvars.ContextVar[LogRoute] = contextvars.ContextVar("here")
    ends = [socket.socketpair() for _ in range(3)]
    own, first, second = (LogRoute(theirs) for _, theirs in ends)
    handler = Routed(own, here)

    def say(text: str, route: LogRoute | None) -> None:
        if route:
            here.set(route)
        handler.handle(logging.makeLogRecord({"msg": text}))

    def say_apart(text: str, route: LogRoute | None = None) -> None:
        contextvars.copy_context().run(say, text, route)

    say_apart("of the process")
    say_apart("of the first call", first)
    say_apart("of the second call", second)
    first.close()
    say_apart("after the first call", first)
    for each in (second, own):
        each.close()
    assert [told(ours) for ours, _ in ends] == [
        ["of the process", "after the first call"],
        ["of the first call"],
        ["of the second call"],
    ]


def test_a_call_that_logs_nothing_costs_no_thread_and_its_socket_closes() -> None:
    ours, theirs = socket.socketpair()
    LogRoute(theirs).close()
    assert told(ours) == []
    assert theirs.fileno() == -1
