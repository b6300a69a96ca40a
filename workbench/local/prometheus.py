"""Prometheus and promtool: this machine's, or Debian's package, unpacked below the ignored cache.

The package is not installed: that would start a server on port 9090. `python -m
workbench.local.prometheus` has them ready.
"""

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from workbench.arguments import expect_none
from workbench.local.running import CACHE

Program = Literal["prometheus", "promtool"]
PACKAGE = "prometheus"
SECONDS = 300


class NoPrometheusError(RuntimeError):
    """There is no Prometheus; the message says what to do."""


def find(name: Program, cache: Path = CACHE) -> Path:
    """Where the program is. Raises NoPrometheusError."""
    if on_path := shutil.which(name):
        return Path(on_path)
    unpacked = _unpacked(name, cache)
    if not unpacked.exists():
        raise NoPrometheusError(
            f"{name} is not on this machine: `make test` gets Debian's package; elsewhere install"
            " Prometheus."
        )
    return unpacked


def fetch(cache: Path, say: Callable[[str], None]) -> None:
    """Unpack Debian's package unless both programs are there. Raises NoPrometheusError."""
    if all(shutil.which(each) or _unpacked(each, cache).exists() for each in _PROGRAMS):
        return
    if not shutil.which("apt-get") or not shutil.which("dpkg"):
        raise NoPrometheusError(
            "The alerts are tested with promtool, from Debian's packages: install Prometheus."
        )
    say("Unpacking Debian's package of Prometheus ...")
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache, prefix="prometheus-") as scratch:
        # Somebody who is not root may have fresh lists.
        _run(["apt-get", "update", "-qq"], scratch, must=False)
        _run(["apt-get", "download", "-qq", PACKAGE], scratch)
        (package,) = Path(scratch).glob("*.deb")
        _run(["dpkg", "-x", str(package), "unpacked"], scratch)
        target = cache / PACKAGE
        shutil.rmtree(target, ignore_errors=True)
        (Path(scratch) / "unpacked").rename(target)


_PROGRAMS: tuple[Program, ...] = ("prometheus", "promtool")


def _unpacked(name: Program, cache: Path) -> Path:
    return cache / PACKAGE / "usr" / "bin" / name


def _run(command: list[str], folder: str, *, must: bool = True) -> None:
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, check=False, timeout=SECONDS
    )
    if done.returncode and must:
        raise NoPrometheusError(f"`{' '.join(command)}` failed: {done.stderr.strip()}")


def main() -> int:
    """Have both programs ready, or say what is missing."""
    expect_none("workbench.local.prometheus", __doc__)
    try:
        fetch(CACHE, print)
    except NoPrometheusError as error:
        print(error)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
