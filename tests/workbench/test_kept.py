"""What a run leaves for the next one."""

import stat
from pathlib import Path

from workbench.local.kept import Kept, keep, recall
from workbench.local.livekit_server import Doors

DOORS = Doors(7880, 7882, "hush")


def test_the_next_run_has_the_same_ports_and_secret(tmp_path: Path) -> None:
    keep(Kept(page_port=8790).with_doors(DOORS), tmp_path)
    kept = recall(tmp_path)
    assert kept.doors == DOORS
    assert kept.page_port == 8790


def test_the_first_run_has_none(tmp_path: Path) -> None:
    assert recall(tmp_path) == Kept()
    assert Kept().doors is None


def test_a_file_that_cannot_be_read_costs_nothing(tmp_path: Path) -> None:
    for content in (b"", b"{", b"\xff\xfe", b'{"page_port": "many"}'):
        (tmp_path / "kept.json").write_bytes(content)
        assert recall(tmp_path) == Kept()


def test_only_this_user_may_read_the_secret(tmp_path: Path) -> None:
    keep(Kept().with_doors(DOORS), tmp_path)
    assert stat.S_IMODE((tmp_path / "kept.json").stat().st_mode) == 0o600
    assert "hush" not in repr(Kept().with_doors(DOORS))
    assert "hush" not in repr(DOORS)
