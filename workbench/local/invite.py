"""`python -m workbench.local.invite`: an address and a token for a browser that wants to call."""

import argparse
import secrets
import sys

from agent.caller.access import access_token
from workbench.local import running


def main() -> int:
    """Print what LiveKit's playground asks for."""
    parser = argparse.ArgumentParser(description=__doc__)
    running.add_argument(parser)
    try:
        state = running.find(parser.parse_args().state)
    except running.NotRunningError as error:
        print(error, file=sys.stderr)
        return 1
    room = f"playground-{secrets.token_hex(3)}"
    print(f"URL    {state.url}")
    print(f"Token  {access_token(state.access, room, 'browser', state.agent_name)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
