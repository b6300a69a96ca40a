"""Ports and a secret that `make run` uses again: a page left open finds it after a restart."""

import os
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from workbench.local.livekit_server import Doors


class Kept(BaseModel):
    """What one run leaves for the next; zero is: none yet."""

    model_config = ConfigDict(frozen=True)

    livekit_port: int = 0
    udp_port: int = 0
    api_secret: str = Field(default="", repr=False)
    page_port: int = 0

    @property
    def doors(self) -> Doors | None:
        """Those of the last run's LiveKit server, if it had one of its own."""
        if not self.livekit_port:
            return None
        return Doors(self.livekit_port, self.udp_port, self.api_secret)

    def with_doors(self, doors: Doors) -> "Kept":
        """The same, with another server."""
        told = {
            "livekit_port": doors.port,
            "udp_port": doors.udp_port,
            "api_secret": doors.api_secret,
        }
        return self.model_copy(update=told)


def recall(directory: Path) -> Kept:
    """What the last run left in its directory; a file that nobody can read counts as none."""
    try:
        return Kept.model_validate_json(_file(directory).read_text())
    except (OSError, ValidationError, UnicodeDecodeError):
        return Kept()


def keep(kept: Kept, directory: Path) -> None:
    """Leave it for the next run, readable by this user only."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    with os.fdopen(os.open(_file(directory), flags, 0o600), "w") as out:
        out.write(kept.model_dump_json())


def _file(directory: Path) -> Path:
    return directory / "kept.json"
