"""The page on troubleshooting has every check, and names only settings and checks that exist."""

import re
from pathlib import Path

from agent.doctor.check import Name
from config.names import SETTINGS

PAGE = (Path(__file__).parents[3] / "docs" / "troubleshooting.md").read_text("utf-8")
ROWS = [line.split(" | ") for line in PAGE.splitlines() if line.startswith("| `")]
NOT_OURS = {"SSL_CERT_FILE", "SSL_CERT_DIR", "ASSEMBLY_AI_KEY", "LIVEKIT_SECRET"}


def test_every_check_has_its_row_in_the_order_of_the_table() -> None:
    assert [row[0].strip("| `") for row in ROWS] == [name.value for name in Name]


def test_every_row_has_symptom_cause_and_mend() -> None:
    assert {len([cell for cell in row if cell.strip(" |")]) for row in ROWS} == {4}


def test_the_page_names_only_settings_that_exist() -> None:
    named = set(re.findall(r"`([A-Z][A-Z_]+[A-Z])`", PAGE))
    assert named
    assert named - NOT_OURS <= SETTINGS.keys()
