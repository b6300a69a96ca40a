"""The files of every layer of a container image, and which of them hold a secret."""

import re
import tarfile
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import IO

_GZIP = b"\x1f\x8b"
_TAR = slice(257, 262)
_REST_BYTES = 1 << 20

# The lock checks packages by their hashes: what looks like a secret there is somebody's example.
_PACKAGES = re.compile("/(site|dist)-packages/")
_KEEPS_SECRETS = re.compile(
    r"(^|/)(\.env|\.netrc|\.pypirc|\.git|\.docker|\.ssh|id_(rsa|ed25519)|pip\.conf|uv\.toml)(/|$)"
)
_SECRET = re.compile(
    rb"sk-(?:proj-)?[A-Za-z0-9]{20}|AKIA[0-9A-Z]{16}|gh[pousr]_[A-Za-z0-9]{36}"
    rb"|PRIVATE KEY-----\s+[A-Za-z0-9+/]{40}|https?://[^\s/:@'\"<>]+:[^\s/:@'\"<>]+@"
)


@dataclass(frozen=True, slots=True)
class LayerFile:
    """A file of one layer, also one that a later layer hides; or a description of the image."""

    path: str
    """Without a slash at its beginning."""
    content: bytes = field(repr=False)


def layer_files(archive: IO[bytes]) -> Iterator[LayerFile]:
    """Every file of every layer of an image, read from what `docker save` or `podman save` writes.

    The archive is read once, from its beginning to its end; raises tarfile.ReadError if it is none.
    """
    for name, opened in _members(archive):
        # A reader that buffers, whatever the type says. Layers are archives in the archive.
        head: bytes = opened.peek(512)  # type: ignore[attr-defined]
        if head.startswith(_GZIP) or head[_TAR] == b"ustar":
            for path, content in _members(opened):
                yield LayerFile(path, content.read())
        else:
            yield LayerFile(name, opened.read())
    while archive.read(_REST_BYTES):  # an archive's padding: a writer whose pipe is closed fails
        pass


def _members(archive: IO[bytes]) -> Iterator[tuple[str, IO[bytes]]]:
    with tarfile.open(fileobj=archive, mode="r|*") as parts:
        for part in parts:
            if part.isfile() and (opened := parts.extractfile(part)):
                yield part.name, opened


def why_secret(file: LayerFile, known: Collection[bytes] = ()) -> str:
    """Why a file should not be in an image; empty if nothing speaks against it.

    `known` are secrets that are looked for by their value. The answer never shows one.
    """
    if _KEEPS_SECRETS.search(file.path):
        return "its name is that of a file with secrets"
    if any(value in file.content for value in known):
        return "it holds a secret of this machine"
    if not _PACKAGES.search(file.path) and _SECRET.search(file.content):
        return "it holds what looks like a key or a password"
    return ""
