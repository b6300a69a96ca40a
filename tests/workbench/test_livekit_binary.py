"""Which LiveKit server program is used."""

from pathlib import Path

import pytest

from workbench.local.livekit_binary import (
    VERSION,
    Named,
    NoLiveKitServerError,
    OnPath,
    OwnBuild,
    choose,
    find_or_build,
    go_suffices,
)

CACHE = Path("cache")


def test_a_named_server_comes_before_one_on_path() -> None:
    chosen = choose({"LIVEKIT_SERVER": "/opt/server"}, "/usr/bin/livekit-server", CACHE)
    assert chosen == Named(Path("/opt/server"))


def test_a_server_on_path_comes_before_a_build() -> None:
    assert choose({}, "/usr/bin/livekit-server", CACHE) == OnPath(Path("/usr/bin/livekit-server"))


def test_an_empty_name_counts_for_nothing() -> None:
    assert choose({"LIVEKIT_SERVER": " "}, None, CACHE) == OwnBuild(
        CACHE / "livekit-server" / f"v{VERSION}" / "livekit-server"
    )


@pytest.mark.parametrize(
    ("told", "suffices"),
    [
        ("go version go1.26.8 linux/amd64", True),
        ("go version go1.27 darwin/arm64", True),
        ("go version go2.0.1 linux/amd64", True),
        ("go version go1.19.8 linux/amd64", False),
        ("go version devel +abcdef", False),
        ("", False),
    ],
)
def test_only_a_go_that_is_new_enough_builds_the_server(told: str, suffices: bool) -> None:
    assert go_suffices(told) is suffices


async def test_a_named_server_that_is_not_there_is_named_in_the_complaint(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("LIVEKIT_SERVER", "/nowhere/livekit-server")
    with pytest.raises(NoLiveKitServerError, match="LIVEKIT_SERVER=/nowhere/livekit-server"):
        await find_or_build(tmp_path, print)


async def test_a_build_that_is_there_is_not_made_again(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("LIVEKIT_SERVER", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    built = tmp_path / "livekit-server" / f"v{VERSION}" / "livekit-server"
    built.parent.mkdir(parents=True)
    built.touch()
    said: list[str] = []
    assert await find_or_build(tmp_path, said.append) == built
    assert said == []
