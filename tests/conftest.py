"""What holds for all tests."""

import asyncio

import pytest
from hypothesis import settings

# The virtual clock's plugin asks every test for its event loop, those without one as well, and so
# would make loops that nobody closes. Once a loop was set, even to none, asking makes no new one.
asyncio.set_event_loop(None)

# Tests do not time: a machine may stand still for longer than any limit of one example.
settings.register_profile("house", deadline=None)
settings.load_profile("house")

# These run in real time, or start programs: `make test` runs them, `make check` has no minute left.
SLOW = {
    "test_commands.py",
    "test_compare.py",
    "test_compare_load.py",
    "test_console.py",
    "test_doors.py",
    "test_heard.py",
    "test_hearing.py",
    "test_leaks.py",
    "test_loopback_heard.py",
    "test_loopback_program.py",
    "test_main.py",
    "test_session.py",
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.name in SLOW:
            item.add_marker(pytest.mark.slow)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Figures that were measured, and what needed a second try, from whichever process."""
    reports = [*terminalreporter.getreports("passed"), *terminalreporter.getreports("failed")]
    _tell(
        terminalreporter,
        "figures of the spoken calls",
        [
            str(value)
            for each in reports
            for name, value in each.user_properties
            if name == "figure"
        ],
    )
    reruns = [f"{each.nodeid}: {_reason(each)}" for each in terminalreporter.getreports("rerun")]
    _tell(terminalreporter, "passed or failed at a further try", reruns)


def _tell(reporter: pytest.TerminalReporter, title: str, lines: list[str]) -> None:
    if lines:
        reporter.section(title)
        for line in dict.fromkeys(lines):
            reporter.write_line(line)


def _reason(report: pytest.TestReport) -> str:
    crash = getattr(report.longrepr, "reprcrash", None)
    return str(crash.message).splitlines()[0] if crash else report.when or ""
