"""Secrets are found in every layer of an image, whoever wrote its archive."""

import io
import tarfile

import pytest

from workbench.local.layers import LayerFile, layer_files, why_secret


def archive(files: dict[str, bytes], *, mode: str = "w") -> bytes:
    written = io.BytesIO()
    with tarfile.open(fileobj=written, mode=mode) as tar:  # type: ignore[call-overload]
        for path, content in files.items():
            member = tarfile.TarInfo(path)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return written.getvalue()


def read(image: bytes) -> dict[str, bytes]:
    return {file.path: file.content for file in layer_files(io.BytesIO(image))}


LOWER = {"app/agent.py": b"print()", "app/.env": b"KEY=value"}
UPPER = {"app/.wh..env": b""}


def test_a_file_that_a_later_layer_hides_is_read_too() -> None:
    docker = archive(
        {"blobs/sha256/aa": archive(LOWER), "blobs/sha256/bb": archive(UPPER), "index.json": b"{}"}
    )
    assert read(docker) == LOWER | UPPER | {"index.json": b"{}"}


def test_layers_may_be_compressed() -> None:
    assert read(archive({"aa.tar": archive(LOWER, mode="w:gz")})) == LOWER


def test_an_archive_within_a_layer_is_a_file_like_any_other() -> None:
    inner = archive({"a": b"b"})
    assert read(archive({"aa.tar": archive({"usr/share/a.tar": inner})})) == {
        "usr/share/a.tar": inner
    }


def test_the_archive_is_read_with_its_padding_so_that_its_writer_does_not_fail() -> None:
    padded = io.BytesIO(archive({"aa.tar": archive(LOWER)}) + bytes(1 << 20))
    assert list(layer_files(padded))
    assert padded.read() == b""


def test_what_is_no_archive_is_an_error() -> None:
    with pytest.raises(tarfile.ReadError):
        read(b"Error: no such image")


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("app/.env", b""),
        ("etc/pip.conf", b""),
        ("root/.ssh/config", b""),
        ("app/.git/HEAD", b""),
        ("app/config.py", b"key = 'sk-proj-" + b"a1" * 12),
        ("etc/key.pem", b"-----BEGIN PRIVATE KEY-----\n" + b"Aa1+" * 10),
        ("etc/index", b"https://somebody:word@packages.example/simple"),
        ("c0ffee.json", b'"Env": ["TOKEN=ghp_' + b"x" * 36),
        ("opt/venv/lib/python3.13/site-packages/a.py", b"planted-value"),
    ],
)
def test_a_secret_is_named_and_never_shown(path: str, content: bytes) -> None:
    why = why_secret(LayerFile(path, content), [b"planted-value"])
    assert why
    assert content.decode() not in why or not content


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("app/agent/redaction.py", b"sk-"),
        ("app/environment.py", b""),
        ("app/gitignore", b"https://example.org:8080/path"),
        # An example in a package whose hash is locked.
        ("opt/venv/lib/python3.13/site-packages/url.py", b"https://user:password@example.org"),
    ],
)
def test_what_is_no_secret_is_left_alone(path: str, content: bytes) -> None:
    assert why_secret(LayerFile(path, content), [b"planted-value"]) == ""
