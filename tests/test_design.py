"""docs/design.md and CONTRIBUTING.md name what exists; the tree leaves no module that ships out."""

import re
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "design.md").read_text("utf-8")
GUIDE = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
TREE = PAGE.split("## 2. The tree")[1].split("```")[1].strip("\n").splitlines()
OURS = ("agent", "config", "stt_assemblyai", "workbench")
PACKAGES = ("agent", "config", "stt_assemblyai")

# An entry, such as `  admission, brake   what they do`; what goes on a line is further right.
ENTRY = re.compile(r"( {0,10})([\w.-]+/?(?:[\w.-]+/?)*(?:, [\w.-]+/?(?:[\w.-]+/?)*)*)(?: |$)")
PATH = re.compile(r"`((?:[\w.-]+/)+[\w.-]*|[\w-]+\.(?:py|md|toml|lock))`")
DOTTED = re.compile(r"`((?:[a-z_]+\.)+[A-Za-z_]+)(?:\(\))?`")
FOREIGN = {
    "job.shutdown": "LiveKit's",
    "json.loads": "Python's",
    "os.environ": "Python's",
    "settings.agent.filler_seconds": "a setting's value",
}
ABSENT = {"tests/__init__.py", "tests/stt_assemblyai/__init__.py"}
"""What the page says there must not be."""


def tracked() -> set[str]:
    """Every file of the project and every folder with one, as git knows them."""
    done = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True)
    files = [name for name in done.stdout.decode().split("\0") if (ROOT / name).exists()]
    return {each for name in files for each in (name, *map(str, Path(name).parents))}


TRACKED = tracked()


def entries() -> Iterator[tuple[str, list[str]]]:
    """The names in the tree: below which folder, and the names of one line."""
    folders: list[tuple[int, str]] = []
    for line in TREE:
        found = ENTRY.match(line)
        if not found:
            continue
        indent, names = len(found[1]), found[2].split(", ")
        while folders and folders[-1][0] >= indent:
            folders.pop()
        yield (folders[-1][1] if folders else ""), names
        if names[0].endswith("/") and len(names) == 1:
            folders.append((indent, f"{folders[-1][1] if folders else ''}{names[0]}"))


def section(folder: str) -> str:
    """The lines of the tree about a folder, with what is in it."""
    at, indent = 0, -1
    for part in folder.split("/"):
        at, indent = next(
            (number, len(found[1]))
            for number, line in enumerate(TREE[at:], at)
            if (found := ENTRY.match(line)) and len(found[1]) > indent
            if f"{part}/" in found[2].split(", ")
        )
    lines = [TREE[at]]
    for line in TREE[at + 1 :]:
        if (found := ENTRY.match(line)) and len(found[1]) <= indent:
            break
        lines.append(line)
    return "\n".join(lines)


@pytest.mark.parametrize(
    ("folder", "name"), [(folder, name) for folder, names in entries() for name in names]
)
def test_what_the_tree_names_is_there(folder: str, name: str) -> None:
    path = f"{folder}{name}".removesuffix("/")
    assert {path, f"{path}.py"} & TRACKED


@pytest.mark.parametrize(
    "path",
    sorted(
        path
        for path in TRACKED
        if path.startswith(tuple(f"{package}/" for package in PACKAGES))
        if path.endswith(".py") and not path.endswith("__init__.py")
    ),
)
def test_every_module_is_in_the_tree(path: str) -> None:
    folder, _, name = path.removesuffix(".py").rpartition("/")
    words = set(re.findall(r"\w+", section(folder)))
    assert name in words, f"say in the tree of docs/design.md what {path} is for"


@pytest.mark.parametrize("path", sorted(set(PATH.findall(PAGE)) - ABSENT))
def test_every_path_on_the_page_exists(path: str) -> None:
    name = path.removesuffix("/")
    assert [each for each in TRACKED if f"/{each}".endswith(f"/{name}")]


@pytest.mark.parametrize(
    "name", sorted(set(DOTTED.findall(PAGE)) - FOREIGN.keys() - set(PATH.findall(PAGE)))
)
def test_every_module_and_what_is_said_to_be_in_it_exists(name: str) -> None:
    modules = {each.removesuffix(".py").replace("/", "."): each for each in TRACKED}
    whole, (module, _, inside) = f".{name}", name.rpartition(".")
    if [each for each in modules if f".{each}".endswith(whole)]:
        return
    holders = [path for each, path in modules.items() if f".{each}".endswith(f".{module}")]
    texts = [(ROOT / path).read_text("utf-8") for path in holders if path.endswith(".py")]
    assert [text for text in texts if re.search(rf"\b{inside}\b", text)], name


def test_the_exceptions_are_needed() -> None:
    assert set(DOTTED.findall(PAGE)) >= FOREIGN.keys()
    assert set(PATH.findall(PAGE)) >= ABSENT
    assert not ABSENT & TRACKED


def test_the_page_has_a_line_for_each_contract() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    contracts = settings["tool"]["importlinter"]["contracts"]
    lines = re.findall(r"^\d+\. ", PAGE.split("## 3. ")[1].split("## 4. ")[0], re.MULTILINE)
    assert len(lines) == len(contracts)


QUESTIONS = [each for each in PAGE.split("\n\n") if each.startswith("**Where ")]


def test_a_newcomer_has_four_questions() -> None:
    assert len(QUESTIONS) == 4


@pytest.mark.parametrize("answer", QUESTIONS, ids=lambda answer: answer.split("**")[1])
def test_what_an_answer_names_is_in_one_of_its_files(answer: str) -> None:
    named = [path for path in PATH.findall(answer) if path.endswith(".py")]
    files = [each for each in TRACKED if f"/{each}".endswith(tuple(f"/{path}" for path in named))]
    text = "\n".join((ROOT / path).read_text("utf-8") for path in files)
    names = re.findall(r"`(?:[A-Za-z_]+\.)*([A-Za-z_]+)`", answer.replace(".py`", "/`"))
    assert names
    names = [name.lower().removeprefix("agent_") if name.isupper() else name for name in names]
    assert not [name for name in names if not re.search(rf"\b{name}\b", text)]


PICTURE, GUIDE_TEXT = GUIDE.split("```")[1], "".join(GUIDE.split("```")[::2])
IN_PICTURE = re.compile(r"(?<![\w/])((?:\w+/)+(?:\w+\.py)?|\w+\.py)")
LINKED = re.compile(r"\]\(([^)#]+)")
GUIDE_PATH = re.compile(r"(?<![\w./-])((?:\w[\w.-]*/)+[\w.-]*|[\w-]+\.(?:py|md|toml|lock))")
CODE = re.compile(r"`([^`]+)`")
STEPS = re.findall(r"^\d\. .*(?:\n   .*)*", GUIDE, re.MULTILINE)


def guide_paths(text: str) -> set[str]:
    """Each path in the code and in the links of a text."""
    codes = {path for code in CODE.findall(text) for path in GUIDE_PATH.findall(code)}
    return {path.removesuffix("/") for path in codes | set(LINKED.findall(text))}


@pytest.mark.parametrize("path", sorted(guide_paths(GUIDE_TEXT)))
def test_every_path_in_the_guide_exists_where_it_says(path: str) -> None:
    assert path in TRACKED


@pytest.mark.parametrize("path", sorted(set(IN_PICTURE.findall(PICTURE))))
def test_what_the_guides_picture_shows_is_there(path: str) -> None:
    name = path.removesuffix("/")
    assert [each for each in TRACKED if f"/{each}".endswith(f"/{name}")]


@pytest.mark.parametrize(
    "target",
    sorted({code.split()[1] for code in CODE.findall(GUIDE_TEXT) if code.startswith("make ")}),
)
def test_every_target_of_make_in_the_guide_exists(target: str) -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    assert re.search(rf"^{target}:.*## ", makefile, re.MULTILINE)


@pytest.mark.parametrize("step", STEPS, ids=lambda step: " ".join(step.split()[1:6]))
def test_what_a_step_of_the_guide_names_is_in_one_of_its_files(step: str) -> None:
    files = [ROOT / path for path in guide_paths(step)]
    text = "\n".join(path.read_text("utf-8") for path in files if path.is_file())
    assert not [code for code in CODE.findall(step) if code.isidentifier() and code not in text]


def test_the_guide_is_short() -> None:
    assert len(GUIDE.splitlines()) <= 120
    recipes = [each for each in GUIDE.split("\n## ") if each.startswith("Add a")]
    assert len(recipes) == 4
    assert all(3 <= len(re.findall(r"^\d\. ", each, re.MULTILINE)) <= 6 for each in recipes)


def test_a_path_is_found_in_a_command_too() -> None:
    text = "`.venv/bin/pytest -q tests/test_x.py`, `config/`, [a page](docs/page.md#part), `docs`"
    assert guide_paths(text) == {"tests/test_x.py", "config", "docs/page.md"}
