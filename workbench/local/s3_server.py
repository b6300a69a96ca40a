"""A small object store that speaks S3, built once: gofakes3. It keeps everything in memory, and
checks no signatures."""

import asyncio
import fcntl
import sys
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from agent.caller.waiting import WaitedTooLongError
from workbench.arguments import expect_none
from workbench.local.livekit_binary import NoLiveKitServerError, run_to_end, usable_go
from workbench.local.livekit_server import free_port
from workbench.local.processes import Command, Process, ProcessDiedError
from workbench.local.running import CACHE

VERSION = "1.2.0"
BUCKET = "calls"
_MODULE = f"github.com/johannesboyne/gofakes3/cmd/gofakes3@v{VERSION}"
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
    program = cache / "s3-server" / f"v{VERSION}" / "gofakes3"
    program.parent.mkdir(parents=True, exist_ok=True)
    with (program.parent / "lock").open("w") as lock:
        await asyncio.to_thread(fcntl.flock, lock.fileno(), fcntl.LOCK_EX)
        if not program.exists():
            say(f"Building gofakes3 {VERSION}, this once.")
            with tempfile.TemporaryDirectory(dir=program.parent, prefix="build-") as scratch:
                work = Path(scratch)
                go, environment = await usable_go(work, say)
                environment |= {"GOBIN": str(work / "bin"), "GOTOOLCHAIN": "local"}
                command: list[str | Path] = [go, "install", "-ldflags=-s -w", _MODULE]
                await run_to_end("go install gofakes3", command, environment, program.parent)
                (work / "bin" / "gofakes3").rename(program)
    return program


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
    expect_none("workbench.local.s3_server", __doc__)
    try:
        print(asyncio.run(find_or_build(lambda line: print(line, file=sys.stderr))))
    except NoLiveKitServerError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
