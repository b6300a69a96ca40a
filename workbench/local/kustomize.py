"""Kustomize, which renders deploy/kubernetes without a cluster: this machine's, or built once."""

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from workbench.local.go_programs import GoProgram, print_path
from workbench.local.running import CACHE

KUSTOMIZE = GoProgram("kustomize", "sigs.k8s.io/kustomize/kustomize/v5", "5.8.2", "kustomize")
"""Releases after this one need a newer Go than the LiveKit server."""

_RENDER_SECONDS = 60


class RenderError(RuntimeError):
    """A folder cannot be rendered; the message has Kustomize's own words."""


async def find_or_build(say: Callable[[str], None], cache: Path = CACHE) -> Path:
    """The program on PATH, else our build. Raises NoLiveKitServerError without a Go."""
    if on_path := shutil.which("kustomize"):
        return Path(on_path)
    return await KUSTOMIZE.build_once(say, cache)


def render(program: Path, folder: Path) -> str:
    """The manifests of a folder with a kustomization.yaml, as YAML. Raises RenderError."""
    done = subprocess.run(
        [str(program), "build", str(folder)],
        capture_output=True,
        text=True,
        check=False,
        timeout=_RENDER_SECONDS,
    )
    if done.returncode:
        raise RenderError(done.stderr.strip())
    return done.stdout


def main() -> int:
    """`python -m workbench.local.kustomize`: have the program ready, and print its path."""
    return print_path("workbench.local.kustomize", __doc__, find_or_build)


if __name__ == "__main__":
    sys.exit(main())
