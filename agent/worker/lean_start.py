"""What keeps the worker's imports quick and small. It imports next to nothing itself."""

import contextlib
import gc
import os
import sys
from collections.abc import Collection, Iterator, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any

UNUSED = frozenset(
    {
        "livekit.plugins.openai.realtime",
        "livekit.plugins.openai.responses",
        "livekit.plugins.openai.tools",
        "openai.resources",
        "openai.types.beta",
        "openai.types.beta.realtime",
        "openai.types.graders",
        "openai.types.realtime",
        "openai.types.responses",
    }
)
"""Packages that others import with themselves, and of which no call of ours uses more than a few
modules: 1 s of CPU, 30 MB."""

ENVIRONMENT = {"OPENBLAS_NUM_THREADS": "1"}
"""With a thread of numpy's, the worker could not fork its job processes."""


@contextlib.contextmanager
def lean_start() -> Iterator[None]:
    """Import and build the worker in this context. It leaves no garbage, so none is looked for."""
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    load_at_first_use(UNUSED)
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


class _LoadedAtFirstUse(Loader):
    def __init__(self, loader: Loader) -> None:
        self._loader = loader

    def exec_module(self, module: ModuleType) -> None:
        def load(name: str) -> Any:
            vars(module).pop("__getattr__", None)
            self._loader.exec_module(module)
            return getattr(module, name)

        vars(module)["__getattr__"] = load


class _Finder(MetaPathFinder):
    def __init__(self, names: Collection[str]) -> None:
        self._names = names

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname not in self._names:
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec and spec.loader:
            spec.loader = _LoadedAtFirstUse(spec.loader)
        return spec


def load_at_first_use(names: Collection[str]) -> None:
    """From now on importing one of these only makes a module that loads itself when anything is
    asked of it but its submodules. What is imported by then stays as it is."""
    sys.meta_path.insert(0, _Finder(names))
