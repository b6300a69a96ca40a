"""One stream's failure spares the next one's callers a wait, and is forgotten in time."""

import pytest

from stt_assemblyai.errors import AuthenticationError, ConfigurationError, NetworkError
from stt_assemblyai.livekit.failures import Failures

OUTAGE = NetworkError("nobody answers")


def test_an_outage_is_known_to_later_streams_until_a_session_opens() -> None:
    failures = Failures(180)
    assert failures.outage_since(0) is None
    failures.gave_up(OUTAGE, 10, 190)
    assert failures.outage_since(200) == 10
    assert failures.fatal is None
    failures.connected()
    assert failures.outage_since(200) is None


def test_an_outage_is_forgotten_when_nobody_has_tried_for_long() -> None:
    failures = Failures(180)
    failures.gave_up(OUTAGE, 10, 190)
    assert failures.outage_since(190 + 180) == 10
    assert failures.outage_since(190 + 181) is None


def test_an_error_outside_an_outage_says_nothing_about_the_next_stream() -> None:
    failures = Failures(180)
    failures.gave_up(OUTAGE, None, 190)
    assert failures.outage_since(190) is None


@pytest.mark.parametrize(
    ("error", "mended"),
    [(AuthenticationError("wrong key"), False), (ConfigurationError("odd option"), True)],
)
def test_other_options_may_mend_what_was_fatal(
    error: AuthenticationError | ConfigurationError, mended: bool
) -> None:
    failures = Failures(180)
    failures.options_changed()
    failures.gave_up(error, None, 1)
    assert failures.fatal is error
    failures.options_changed()
    assert (failures.fatal is None) is mended
