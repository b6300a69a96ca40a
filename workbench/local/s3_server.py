"""A small object store that speaks S3, built once: gofakes3. It keeps everything in memory, and
checks no signatures."""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from agent.caller.waiting import WaitedTooLongError
from workbench.local.go_programs import GoProgram, print_path
from workbench.local.livekit_server import free_port
from workbench.local.processes import Command, Process, ProcessDiedError
from workbench.local.running import CACHE

GOFAKES3 = GoProgram(
    "gofakes3", "github.com/johannesboyne/gofakes3/cmd/gofakes3", "1.2.0", "s3-server"
)
BUCKET = "calls"
_READY_SECONDS = 20.0
_PROBE_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class S3Server:
    """A running server with an empty bucket."""

    process: Process
    port: int

    @property
    def variables(self) -> dict[str, str]:
        """What an operator sets to use it."""
        return {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{self.port}",
            "AWS_ACCESS_KEY_ID": "local",
            "AWS_SECRET_ACCESS_KEY": "not-a-secret",
        }


async def find_or_build(say: Callable[[str], None], cache: Path = CACHE) -> Path:
    """The server program, built first if need be. Raises NoLiveKitServerError without a Go."""
    return await GOFAKES3.build_once(say, cache)


@asynccontextmanager
async def s3_server(program: Path, log: Path, *, port: int = 0) -> AsyncIterator[S3Server]:
    """Run it until the context is left; it answers when the context is entered."""
    port = port or free_port()
    argv = [str(program), "-backend", "memory", "-initialbucket", BUCKET]
    argv += ["-host", f"127.0.0.1:{port}"]
    async with Process(Command("S3 server", argv, log, {}, grace_seconds=1.0)) as process:
        await _answers(process, port)
        yield S3Server(process, port)


async def _answers(process: Process, port: int) -> None:
    try:
        async with asyncio.timeout(_READY_SECONDS):
            while process.code is None:
                try:
                    _, writer = await asyncio.open_connection("127.0.0.1", port)
                except OSError:
                    await asyncio.sleep(_PROBE_SECONDS)
                else:
                    writer.close()
                    return
    except TimeoutError:
        raise WaitedTooLongError("the S3 server did not answer") from None
    raise ProcessDiedError(process.obituary())


def main() -> int:
    """`python -m workbench.local.s3_server`: have the server ready, and print its path."""
    return print_path("workbench.local.s3_server", __doc__, find_or_build)


if __name__ == "__main__":
    sys.exit(main())
