"""Rules of the house that no tool checks by itself."""

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SHIPPED = [ROOT / "agent.py"] + [
    path
    for package in ("agent", "config", "stt_assemblyai")
    for path in (ROOT / package).rglob("*.py")
]


def tracked() -> list[Path]:
    """The files of the repository, as git knows them."""
    done = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True)
    return [ROOT / name for name in done.stdout.decode().split("\0") if name]


def imports(path: Path) -> Iterator[str]:
    """Every name that a file imports, in full."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_what_ships_imports_neither_the_stock_plugin_nor_the_vendors_client(path: Path) -> None:
    foreign = ("livekit.plugins.assemblyai", "assemblyai")
    assert not [
        name for name in imports(path) if f"{name}.".startswith(tuple(f"{f}." for f in foreign))
    ]


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_module_says_what_it_is_for(path: Path) -> None:
    assert ast.get_docstring(ast.parse(path.read_text("utf-8")))


def test_only_the_settings_read_the_environment() -> None:
    readers = {
        path.relative_to(ROOT).parts[0]
        for path in SHIPPED
        if path.name != "stt.py"  # a drop-in takes its key where LiveKit's plugins take theirs
        if "os.environ.get" in path.read_text("utf-8") or "os.getenv" in path.read_text("utf-8")
    }
    assert readers <= {"config"}


def test_every_rpc_method_is_registered_behind_the_guard() -> None:
    registering = [
        path.name for path in SHIPPED if "register_rpc_method" in path.read_text("utf-8")
    ]
    assert registering == ["authority.py"]


def test_locks_name_no_address_of_an_index() -> None:
    locks = [
        path for path in tracked() if path.suffix == ".lock" or path.name == "package-lock.json"
    ]
    assert locks
    assert not [path.name for path in locks if "://" in path.read_text("utf-8")]


def test_no_line_keeps_a_conflict_or_a_note_to_self() -> None:
    words = ("<<<<" + "<<<", "FIX" + "ME", "TO" + "DO")
    sources = [
        path for path in tracked() if path.suffix in {".py", ".md", ".toml"} and path.exists()
    ]
    assert not [
        path.name for path in sources if any(word in path.read_text("utf-8") for word in words)
    ]


def test_every_row_of_the_page_on_faults_names_a_test_that_exists() -> None:
    page = (ROOT / "docs" / "operations.md").read_text("utf-8")
    rows = [line for line in page.splitlines() if line.startswith("| ") and "`" in line]
    tests = "\n".join(path.read_text("utf-8") for path in (ROOT / "tests" / "calls").glob("*.py"))
    for row in rows:
        name = row.rsplit("`", 2)[1]
        assert f"async def {name}(" in tests, name


def test_the_tests_that_pages_name_exist() -> None:
    pages = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")]
    named = {
        (page.name, name)
        for page in pages
        for name in re.findall(r"tests/[\w/]+/test_\w+\.py", page.read_text("utf-8"))
    }
    assert named
    assert not [(page, name) for page, name in named if not (ROOT / name).exists()]
