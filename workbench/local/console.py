"""`make console`: `python agent.py console`, with stand-ins for what has no key."""

import asyncio
import os
import signal
import sys
import tempfile
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path

from agent.caller.waiting import WaitedTooLongError
from workbench.local.livekit_server import Access
from workbench.local.processes import ProcessDiedError
from workbench.local.providers import (
    PlanError,
    engines_missing,
    plan,
    settings_in_force,
    worker_environment,
)
from workbench.local.running import PROJECT
from workbench.local.standins_process import stand_ins

# The console contacts no LiveKit server.
_NOWHERE = Access("ws://127.0.0.1", "none", "none")


async def console(options: Sequence[str], logs: Path) -> int:
    """Run the console until it ends; its exit code. `logs` gets the stand-ins' log.

    Raises PlanError, ProcessDiedError and WaitedTooLongError.
    """
    chosen = plan(settings_in_force(os.environ, Path(".env")))
    async with AsyncExitStack() as stack:
        stood_in = None
        if chosen.needs_stand_ins:
            if missing := engines_missing():
                raise PlanError(
                    f"This machine lacks the stand-ins' speech engines ({', '.join(missing)}): "
                    f"set {chosen.missing_keys} in .env."
                )
            print(f"Starting stand-ins, for want of {chosen.missing_keys} ...", file=sys.stderr)
            stood_in, _ = await stack.enter_async_context(stand_ins(logs / "stand-ins.log"))
        program = await asyncio.create_subprocess_exec(
            *(sys.executable, str(PROJECT / "agent.py"), "console", *options),
            env=worker_environment(os.environ, _NOWHERE, chosen, stood_in),
        )
        loop = asyncio.get_running_loop()
        # The terminal sends Ctrl-C to the console as well, which ends by it.
        loop.add_signal_handler(signal.SIGINT, lambda: None)
        loop.add_signal_handler(signal.SIGTERM, program.terminate)
        return await program.wait()


def main() -> int:
    """Run it with the options of `python agent.py console`."""
    with tempfile.TemporaryDirectory(prefix="console-") as logs:
        try:
            return asyncio.run(console(sys.argv[1:], Path(logs)))
        except (PlanError, ProcessDiedError, WaitedTooLongError) as error:
            print(error, file=sys.stderr)
        except KeyboardInterrupt:
            return 130
    return 1


if __name__ == "__main__":
    sys.exit(main())
