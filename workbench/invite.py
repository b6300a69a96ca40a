"""`python -m workbench.invite`: an address and a token for a browser that wants to call."""

import secrets
import sys

from workbench import running
from workbench.caller import access_token


def main() -> int:
    """Print what LiveKit's playground asks for."""
    try:
        state = running.find()
    except running.NotRunningError as error:
        print(error, file=sys.stderr)
        return 1
    room = f"playground-{secrets.token_hex(3)}"
    print(f"URL    {state.url}")
    print(f"Token  {access_token(state.access, room, 'browser', state.agent_name)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
