"""Checks on paper: a table for people, and JSON for programs."""

import json

from agent.doctor.check import Name, fault, ok, skipped, warning
from agent.doctor.report import WIDTH, document, table, without

CHECKS = [
    ok(Name.SETTINGS, "complete"),
    warning(Name.AUDIO_DEVICES, "no microphone", "connect one"),
    fault(Name.LIVEKIT_KEY, "refused " * 30, "copy it again"),
    skipped(Name.METRICS_PORT, "not set"),
]


def test_a_table_is_narrow_and_names_every_check() -> None:
    lines = list(table(CHECKS))
    assert max(map(len, lines)) <= WIDTH
    assert [line.split()[1] for line in lines if line[:1].strip() and line != lines[-1]] == [
        check.name for check in CHECKS
    ]


def test_what_is_wrong_says_what_it_affects_and_the_mend() -> None:
    text = "\n".join(table(CHECKS))
    assert text.count("affects") == 2
    assert "mend  copy it again" in text
    assert text.endswith("1 fault and 1 warning. docs/troubleshooting.md explains each.")


def test_the_last_line_counts() -> None:
    assert list(table(CHECKS[:1]))[-1] == "Nothing is wrong."
    assert list(table([CHECKS[2]] * 2))[-1].startswith("2 faults. ")
    assert list(table([CHECKS[1]] * 2))[-1].startswith("2 warnings. ")


def test_a_mend_without_a_fault_is_shown() -> None:
    lines = list(table([skipped(Name.LIVEKIT_KEY, "the clock is wrong", "set the clock")]))
    assert "mend  set the clock" in lines[1]


def test_nothing_moves_the_cursor() -> None:
    (line, *_) = table([ok(Name.SETTINGS, "a\x1b[2Jb\nc")])
    assert line.isprintable()


def test_nothing_seen_is_still_a_line() -> None:
    assert next(table([ok(Name.SETTINGS, "")])).split() == ["ok", "settings"]


def test_the_document_has_every_field_of_every_check() -> None:
    found = json.loads(document(CHECKS))
    assert found["ok"] is False
    assert [row["name"] for row in found["checks"]] == [check.name for check in CHECKS]
    assert found["checks"][1] == {
        "name": "audio.devices",
        "state": "warning",
        "affects": CHECKS[1].affects,
        "seen": "no microphone",
        "mend": "connect one",
    }
    assert json.loads(document(CHECKS[:2]))["ok"] is True


def test_secrets_are_taken_out_of_everything_that_was_seen() -> None:
    checks = [fault(Name.SETTINGS, "a secret", "no secret"), ok(Name.SETTINGS, "secret")]
    cleaned = without(checks, lambda text: text.replace("secret", "***"))
    assert [(each.seen, each.mend) for each in cleaned] == [("a ***", "no ***"), ("***", "")]
