"""A fork server that Python starts imports this: the signals that it then ignores are ignored in
all its job processes, and no call begins before that."""

from agent.worker import signals

signals.leave_to_the_worker()
