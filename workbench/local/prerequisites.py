"""Gets what the tests need from Debian: recorded speech, Redis, browsers. As root; else it names
them."""

import argparse
import os
import shutil
import subprocess
import sys

from workbench.local import redis_server
from workbench.local.browsers import BROWSERS
from workbench.local.calling import corpus

# What is looked for, and the Debian package that brings it.
RECORDINGS = {
    corpus.ASTERISK: "asterisk-core-sounds-en-wav",
    corpus.LIBRIVOX: "pocketsphinx-testdata",
}


def missing(*, browsers: bool) -> list[str]:
    """The packages that this machine lacks; another build of a browser will do as well."""
    packages = [package for path, package in RECORDINGS.items() if not path.exists()]
    if not redis_server.program():
        packages.append(redis_server.PACKAGE)
    if browsers:
        packages += [each.package for each in BROWSERS if each.program() is None]
    return packages


def main() -> int:
    """Install what is missing, or say what to install; 1 where something stays missing."""
    parser = argparse.ArgumentParser(prog="workbench.local.prerequisites", description=__doc__)
    parser.add_argument("--browsers", action="store_true", help="the browsers as well")
    packages = missing(browsers=parser.parse_args().browsers)
    if not packages:
        return 0
    install = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *packages]
    if not shutil.which("apt-get"):
        print(
            "The tests take recorded speech, Redis and browsers from Debian's packages: run them on"
            f" Debian or Ubuntu. Missing here: {' '.join(packages)}"
        )
        return 1
    if os.geteuid() != 0:
        print(f"The tests need some packages. Please type: sudo {' '.join(install)}")
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
