"""What a changed file means to a worker under development, and whether the change can run."""

import enum
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

_CODE = ("agent", "config", "stt_assemblyai")
# Built by `make page`; the playground serves it, and no call needs it.
_PAGE = Path("agent/playground")
# Editors write copies beside a file, and Python its bytecode.
_READ_AT_START = frozenset({".py", ".toml", ".md", ".ogg"})


class Effect(enum.Enum):
    """What has to happen for a change to be heard."""

    NONE = enum.auto()
    NEXT_TURN = enum.auto()
    """Each call reads the file again before its next turn (`agent.call.files_now`)."""
    NEW_WORKER = enum.auto()


@dataclass(frozen=True, slots=True)
class Watched:
    """The files of a worker under development. All paths are absolute."""

    project: Path
    dotenv: Path
    instructions: Path
    phrases: Path

    def folders(self) -> list[Path]:
        """The folders to watch with all that is below them, as far as they exist."""
        code = [self.project / name for name in _CODE]
        return sorted({each for each in (*code, self.phrases) if each.is_dir()})

    def beside(self) -> list[Path]:
        """The other folders to watch, without what is below them, as far as they exist."""
        parents = {self.project, self.dotenv.parent, self.instructions.parent}
        covered = self.folders()
        return sorted(
            each
            for each in parents
            if each.is_dir() and not any(each.is_relative_to(other) for other in covered)
        )

    def effect(self, path: Path) -> Effect:
        """What a change of this file means."""
        if path == self.instructions or (
            path.parent == self.phrases and path.suffix == ".toml" and not _is_hidden(path)
        ):
            return Effect.NEXT_TURN
        if path in (self.dotenv, self.project / "agent.py"):
            return Effect.NEW_WORKER
        if not path.is_relative_to(self.project):
            return Effect.NONE
        inside = path.relative_to(self.project)
        is_code = (
            inside.parts[0] in _CODE
            and path.suffix in _READ_AT_START
            and not _is_hidden(path)
            and not (inside.is_relative_to(_PAGE) and path.suffix != ".py")
        )
        return Effect.NEW_WORKER if is_code else Effect.NONE

    def sorted_out(self, changed: Iterable[Path]) -> dict[Effect, list[Path]]:
        """The changed files by what they mean, without those that mean nothing."""
        found: dict[Effect, list[Path]] = {}
        for path in sorted(changed):
            if (effect := self.effect(path)) is not Effect.NONE:
                found.setdefault(effect, []).append(path)
        return found


def _is_hidden(path: Path) -> bool:
    return path.name.startswith((".", "#"))


def syntax_fault(source: bytes, name: str) -> str | None:
    """What keeps Python from reading this source, in one line; None if it can."""
    try:
        compile(source, name, "exec", dont_inherit=True)
    except (SyntaxError, ValueError) as error:  # of the second kind: a NUL, for older Pythons
        return f"{name}: {error}"
    return None


def in_words(paths: Iterable[Path], project: Path) -> str:
    """The files' names for a sentence; those of the project without its folder."""
    return ", ".join(
        (path.relative_to(project) if path.is_relative_to(project) else path).as_posix()
        for path in paths
    )
