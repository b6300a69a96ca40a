"""Gets the recorded speech that the tests need: installs it as root on Debian, else names it."""

import os
import shutil
import subprocess
import sys

from workbench.arguments import expect_none
from workbench.local.calling import corpus

# What is looked for, and the Debian package that brings it.
RECORDINGS = {
    corpus.ASTERISK: "asterisk-core-sounds-en-wav",
    corpus.LIBRIVOX: "pocketsphinx-testdata",
}


def main() -> int:
    """Install what is missing, or say what to install; 1 where something stays missing."""
    expect_none("workbench.local.prerequisites", __doc__)
    packages = [package for path, package in RECORDINGS.items() if not path.exists()]
    if not packages:
        return 0
    install = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *packages]
    if not shutil.which("apt-get"):
        print(
            "The tests take recorded speech from Debian's packages: run them on Debian or Ubuntu."
        )
        return 1
    if os.geteuid() != 0:
        print(f"The tests need recorded speech. Please type: sudo {' '.join(install)}")
        return 1
    print(f"Installing {' and '.join(packages)} ...", flush=True)
    for command in (["apt-get", "update", "-qq"], install):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            print(f"`{' '.join(command)}` failed: {done.stderr.strip()}")
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
