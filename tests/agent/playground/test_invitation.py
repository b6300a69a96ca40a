"""What a token allows, read as LiveKit's server reads it."""

from datetime import timedelta

import pytest
from livekit import api

from agent.playground.invitation import Invitation, invite
from config.services import LiveKitSettings

SECRET = "a-livekit-secret-of-32-characters-or-more"
LIVEKIT = LiveKitSettings.model_validate(
    {"url": "ws://127.0.0.1:9", "api_key": "APIkey", "api_secret": SECRET}
)


def claims(invited: Invitation) -> api.access_token.Claims:
    return api.TokenVerifier("APIkey", SECRET).verify(invited.token)


def test_it_opens_one_room_to_one_caller_and_nothing_else() -> None:
    invited = invite(LIVEKIT, room="lobby", identity="ann")
    allowed = claims(invited)
    assert (invited.room, invited.identity) == ("lobby", "ann")
    assert allowed.identity == "ann"
    assert allowed.video
    assert allowed.video.room == "lobby"
    assert allowed.video.room_join
    assert not any(
        (
            allowed.video.room_admin,
            allowed.video.room_create,
            allowed.video.room_list,
            allowed.video.room_record,
            allowed.video.can_update_own_metadata,
        )
    )


def test_a_named_agent_is_asked_for_by_its_name() -> None:
    config = claims(invite(LIVEKIT, agent_name="receptionist")).room_config
    assert config
    assert [each.agent_name for each in config.agents] == ["receptionist"]


def test_an_agent_without_a_name_comes_unasked() -> None:
    config = claims(invite(LIVEKIT)).room_config
    assert not config or not config.agents


def test_two_callers_without_names_do_not_meet() -> None:
    first, second = invite(LIVEKIT), invite(LIVEKIT)
    assert first.room != second.room
    assert first.identity != second.identity


def test_a_token_does_not_let_anybody_in_after_its_time() -> None:
    late = invite(LIVEKIT, ttl=timedelta(hours=-1))
    with pytest.raises(Exception, match="expired"):
        claims(late)


def test_a_token_is_not_shown_by_accident() -> None:
    invited = invite(LIVEKIT)
    assert invited.token not in repr(invited)
