"""The person's browser opens where there is one, and nowhere else."""

import os
import stat
from pathlib import Path

import pytest

from workbench.local.desktop import may_open, open_page

LINUX = {"DISPLAY": ":0"}


@pytest.mark.parametrize(
    ("environment", "platform"),
    [(LINUX, "linux"), ({"WAYLAND_DISPLAY": "wayland-0"}, "linux"), ({}, "darwin"), ({}, "win32")],
)
def test_a_desktop_with_a_terminal_is_shown_the_page(
    environment: dict[str, str], platform: str
) -> None:
    assert may_open(environment, is_terminal=True, platform=platform)
    assert not may_open(environment, is_terminal=False, platform=platform)


@pytest.mark.parametrize(
    "environment",
    [
        {},
        {"DISPLAY": ""},
        LINUX | {"CI": "true"},
        LINUX | {"SSH_CONNECTION": "192.0.2.1 1 192.0.2.2 22"},
        LINUX | {"BROWSER": "none"},
    ],
)
def test_elsewhere_the_address_is_said_and_nothing_is_opened(environment: dict[str, str]) -> None:
    assert not may_open(environment, is_terminal=True, platform="linux")


def test_the_address_reaches_the_browser_that_the_person_has_chosen(tmp_path: Path) -> None:
    browser, opened = tmp_path / "browser", tmp_path / "opened"
    browser.write_text(f'#!/bin/sh\nprintf %s "$1 ${{TERM-}}" > {opened}\n')
    browser.chmod(browser.stat().st_mode | stat.S_IEXEC)
    environment = os.environ | {"BROWSER": f"{browser} %s", "TERM": "xterm"}
    assert open_page("http://127.0.0.1:8790", environment).wait(20) == 0
    assert opened.read_text() == "http://127.0.0.1:8790 "


def test_a_machine_without_any_browser_does_not_mind() -> None:
    with open_page("http://127.0.0.1:8790", {"PATH": "/nonexistent"}) as program:
        assert isinstance(program.wait(20), int)
