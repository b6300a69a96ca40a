"""The unit for systemd, against what the worker needs of whoever runs it."""

import configparser
import re

import pytest

from config.behaviour import AgentSettings
from workbench.local.running import PROJECT

UNIT = PROJECT / "deploy/systemd/agent.service"
FAREWELL_SECONDS = 20  # docs/settings.md: calls that are left end within 20 s


@pytest.fixture
def unit() -> configparser.ConfigParser:
    parser = configparser.ConfigParser(interpolation=None, strict=True)
    parser.optionxform = str  # type: ignore[assignment,method-assign]  # systemd's case
    parser.read_string(UNIT.read_text("utf-8"))
    return parser


def test_stopping_signals_the_worker_alone_and_kills_all_that_is_left(
    unit: configparser.ConfigParser,
) -> None:
    assert unit["Service"]["KillMode"] == "mixed"
    assert unit["Service"]["KillSignal"] == "SIGTERM"


def test_stopping_grants_more_time_than_calls_may_take_to_finish(
    unit: configparser.ConfigParser,
) -> None:
    drain_seconds = AgentSettings().drain_seconds
    assert int(unit["Service"]["TimeoutStopSec"]) > drain_seconds + FAREWELL_SECONDS


def test_a_worker_that_dies_is_started_again_within_seconds_however_often(
    unit: configparser.ConfigParser,
) -> None:
    assert unit["Service"]["Restart"] == "always"
    assert int(unit["Service"]["RestartSec"]) <= 2
    assert unit["Unit"]["StartLimitIntervalSec"] == "0"


def test_wrong_settings_are_not_tried_again_and_again(unit: configparser.ConfigParser) -> None:
    assert unit["Service"]["RestartPreventExitStatus"] == "2"


def test_the_worker_has_a_folder_for_its_sockets_that_nobody_cleans(
    unit: configparser.ConfigParser,
) -> None:
    assert unit["Service"]["PrivateTmp"] == "yes"


def test_what_it_starts_is_the_production_command(unit: configparser.ConfigParser) -> None:
    assert unit["Service"]["ExecStart"].endswith("python agent.py start")
    assert (PROJECT / "agent.py").is_file()


def test_each_line_is_a_comment_a_section_or_a_setting() -> None:
    """systemd takes no comment behind a value: it would become a part of it."""
    for line in UNIT.read_text("utf-8").splitlines():
        assert re.fullmatch(r"|#.*|\[[A-Z][a-z]+\]|[A-Z][A-Za-z]+=[^#]*", line), line
