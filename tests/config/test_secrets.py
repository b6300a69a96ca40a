"""Which values are secret, and how a value is shown."""

from collections.abc import Callable
from typing import Any

import pytest
from pydantic import SecretStr

from config.secrets import MASKED, secrets_of, shown
from config.settings import Settings


def test_every_key_is_a_secret(made: Callable[..., Settings]) -> None:
    assert secrets_of(made()) == {
        "APIkey",
        "a-livekit-secret",
        "an-assemblyai-key",
        "sk-an-openai-key",
    }


def test_of_an_address_that_may_hold_a_secret_the_host_is_none(
    made: Callable[..., Settings],
) -> None:
    hook = "https://user:password@hooks.example/s3cret-path?token=s3cret"
    found = secrets_of(made(ASSEMBLYAI_WEBHOOK_URL=hook)) - secrets_of(made())
    assert found == {"/s3cret-path", "token=s3cret", "user", "password"}


def test_of_the_address_of_redis_only_the_password_is_secret(made: Callable[..., Settings]) -> None:
    found = secrets_of(made(AGENT_REDIS_URL="redis://default:a-password@redis.example:6379/0"))
    assert found - secrets_of(made()) == {"a-password"}


def test_inside_a_request_for_a_model_all_is_secret_but_the_model_and_the_roles(
    made: Callable[..., Settings],
) -> None:
    gateway = {
        "model": "a-model",
        "max_tokens": 7,
        "messages": [{"role": "user", "content": "Our secret recipe"}],
    }
    found = secrets_of(made(ASSEMBLYAI_LLM_GATEWAY=gateway)) - secrets_of(made())
    assert found == {"Our secret recipe"}


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (SecretStr("key"), MASKED),
        (None, ""),
        (True, "true"),
        (("Aldi", "Kofi"), "Aldi,Kofi"),
        (0.5, "0.5"),
    ],
)
def test_a_value_is_shown_as_it_is_written_unless_it_is_secret(value: Any, text: str) -> None:
    assert shown(value) == text
