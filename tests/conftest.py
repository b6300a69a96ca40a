"""What holds for all tests."""

import asyncio

import pytest

# The virtual clock's plugin asks every test for its event loop, those without one as well, and so
# would make loops that nobody closes. Once a loop was set, even to none, asking makes no new one.
asyncio.set_event_loop(None)

# These run in real time, or start programs: `make test` runs them, `make check` has no minute left.
SLOW = {
    "test_commands.py",
    "test_compare.py",
    "test_compare_load.py",
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
