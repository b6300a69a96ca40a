"""A token opens one room, and asks for an agent there only if that is wanted."""

import pytest
from livekit import api
from pydantic import SecretStr

from agent.caller.access import Access, join_token
from config.services import LiveKitSettings

ACCESS = Access("ws://127.0.0.1:1", "key", "a-secret-of-thirty-two-characters-or-more")


def claims(token: str) -> api.access_token.Claims:
    return api.TokenVerifier(ACCESS.api_key, ACCESS.api_secret).verify(token)


def test_a_token_opens_one_room_for_one_identity() -> None:
    found = claims(join_token(ACCESS, "room", "ann"))
    assert found.identity == "ann"
    assert found.video is not None
    assert (found.video.room, found.video.room_join) == ("room", True)
    assert not found.video.room_list
    assert found.room_config is None


@pytest.mark.parametrize(("agent_name", "metadata"), [("clerk", ""), ("", "{}"), ("clerk", "{}")])
def test_a_token_asks_for_the_agent_that_is_named_or_told_something(
    agent_name: str, metadata: str
) -> None:
    found = claims(join_token(ACCESS, "room", "ann", agent_name, metadata))
    assert found.room_config is not None
    (asked,) = found.room_config.agents
    assert (asked.agent_name, asked.metadata) == (agent_name, metadata)


def test_the_secret_is_not_shown() -> None:
    assert ACCESS.api_secret not in repr(ACCESS)


def test_access_is_as_it_is_set() -> None:
    settings = LiveKitSettings(
        url=ACCESS.url, api_key=SecretStr("key"), api_secret=SecretStr(ACCESS.api_secret)
    )
    assert Access.of(settings) == ACCESS
