"""Runs one command, and ends it with all that it started when the parent ends.

`python die_with_parent.py GRACE_SECONDS COMMAND...` with a pipe as standard input. However the
parent ends (a `kill -9` included) the pipe closes: the command then gets SIGTERM, the grace, and
its whole process group SIGKILL. Run by path, as its own group's leader; standard library only.
"""

import argparse
import contextlib
import os
import signal
import subprocess
import sys
import threading


def main(grace_seconds: float, command: list[str]) -> int:
    # A handler, not SIG_IGN: the command must not inherit deafness to a Ctrl-C meant for it.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: None)
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL)

    let_go = threading.Event()

    def end_when_let_go() -> None:
        os.read(0, 1)
        let_go.set()
        child.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(grace_seconds)
        os.killpg(0, signal.SIGKILL)

    threading.Thread(target=end_when_let_go, daemon=True).start()
    code = child.wait()
    if let_go.is_set():
        os.killpg(0, signal.SIGKILL)
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        prog="python -m workbench.local.die_with_parent", description=__doc__
    )
    parser.add_argument("grace_seconds", type=float)
    parser.add_argument("command", nargs=argparse.REMAINDER)
    sys.exit(main(**vars(parser.parse_args())))
