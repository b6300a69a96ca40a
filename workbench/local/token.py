"""`make token`: `python agent.py token` for the LiveKit server of the running `make run`."""

import argparse
import os
import sys

from workbench.local import running


def main() -> int:
    """Become that command; what follows the state's directory is passed on to it."""
    parser = argparse.ArgumentParser(prog="make token", description=__doc__)
    running.add_argument(parser)
    known, passed_on = parser.parse_known_args()
    try:
        state = running.find(known.state)
    except running.NotRunningError as error:
        print(error, file=sys.stderr)
        return 1
    command = [sys.executable, str(running.PROJECT / "agent.py"), "token", *passed_on]
    return os.execve(sys.executable, command, {**os.environ, **state.environment})


if __name__ == "__main__":
    sys.exit(main())
