"""The person's browser, on a desktop: `make run` shows the page in it."""

import subprocess
import sys
from collections.abc import Mapping

OFF = "none"
"""As a value of BROWSER: open nothing."""
_HAS_A_DISPLAY = ("darwin", "win32")


def may_open(environment: Mapping[str, str], *, is_terminal: bool, platform: str) -> bool:
    """Whether somebody sits before a desktop, to whom a page may be shown unasked.

    Never without a terminal, in CI, from afar, or with BROWSER=none. `platform` is `sys.platform`.
    """
    if not is_terminal or environment.get("CI") or environment.get("SSH_CONNECTION"):
        return False
    if environment.get("BROWSER") == OFF:
        return False
    displays = (environment.get("DISPLAY"), environment.get("WAYLAND_DISPLAY"))
    return platform in _HAS_A_DISPLAY or any(displays)


def open_page(address: str, environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
    """Open the address in a new tab, in a process of its own; whether that works is nobody's fault.

    Without TERM: a browser that runs in terminals would take ours.
    """
    told = {name: value for name, value in environment.items() if name != "TERM"}
    return subprocess.Popen(
        [sys.executable, "-m", "webbrowser", "-t", address],
        env=told,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
