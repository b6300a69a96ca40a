"""A developer's calls are kept, unless the settings say otherwise."""

from pathlib import Path

from agent.records.folder import DEVELOPERS, MOST_MB, kept_in_development
from config.behaviour import AgentSettings
from workbench.local.sample_settings import sample_settings


def test_without_a_folder_calls_are_kept_with_their_sound() -> None:
    plain = sample_settings()
    agent = kept_in_development(plain).agent
    assert (agent.record_dir, agent.record_audio) == (DEVELOPERS, True)
    assert agent.record_keep_mb == MOST_MB
    own = AgentSettings(record_keep_mb=5)
    assert kept_in_development(plain.model_copy(update={"agent": own})).agent.record_keep_mb == 5


def test_a_developer_may_leave_the_sound_out() -> None:
    silent = sample_settings(agent={"record_audio": False})
    assert kept_in_development(silent).agent.record_audio is False


def test_who_wants_no_personal_data_kept_gets_no_sound() -> None:
    agent = kept_in_development(sample_settings(agent={"redact": "personal"})).agent
    assert (agent.record_dir, agent.record_audio) == (DEVELOPERS, False)


def test_a_folder_of_ones_own_stays_as_it_is(tmp_path: Path) -> None:
    own = sample_settings(agent={"record_dir": tmp_path})
    assert kept_in_development(own) == own
