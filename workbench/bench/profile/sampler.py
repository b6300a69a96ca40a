"""py-spy beside a process: which Python functions run, without a change to the process."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

__all__ = ["NoSamplerError", "sampling"]

_RATE = 400
_PROGRAM = Path(sys.executable).with_name("py-spy")


class NoSamplerError(RuntimeError):
    """py-spy could not look into the process."""


@asynccontextmanager
async def sampling(pid: int, kept: Path, seconds: float) -> AsyncIterator[None]:
    """Sample a process, without halting it, into `kept` in py-spy's raw format.

    Raises NoSamplerError, such as where the kernel forbids it to anybody but root.
    """
    process = await asyncio.create_subprocess_exec(
        *(str(_PROGRAM), "record", "--pid", str(pid), "--duration", str(round(seconds))),
        *("--rate", str(_RATE), "--threads", "--function", "--nonblocking"),
        *("--format", "raw", "--output", str(kept)),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said = asyncio.create_task(process.communicate())
    try:
        yield
        words = (await said)[0].decode(errors="replace").strip()
    except BaseException:
        if process.returncode is None:
            process.terminate()
        await asyncio.wait([said])
        raise
    if process.returncode:
        raise NoSamplerError(f"py-spy failed: {words.splitlines()[-1] if words else 'silently'}")
