"""What an address, a key, a host and a path may be."""

from pathlib import Path
from typing import Annotated, Any

import pytest
from pydantic import AfterValidator, TypeAdapter, ValidationError

from config.values import (
    ApiKey,
    Filled,
    Host,
    Location,
    McpAddress,
    RedisAddress,
    Section,
    openai_path,
    scheme,
)

Address = Annotated[str, scheme("ws", "wss")]
Bare = Annotated[str, scheme("wss", path=False)]
OpenAI = Annotated[str, AfterValidator(openai_path)]


def check(kind: Any, text: str) -> Any:
    return TypeAdapter(kind).validate_python(text)


@pytest.mark.parametrize(
    ("kind", "text", "kept"),
    [
        (Address, " wss://host/path/ ", "wss://host/path"),
        (Address, "ws://[::1]:7880", "ws://[::1]:7880"),
        (Address, "wss://bücher.example", "wss://bücher.example"),
        (Bare, "wss://host:443", "wss://host:443"),
        (OpenAI, "https://h/v1", "https://h/v1"),
        (Host, "0.0.0.0", "0.0.0.0"),
        (Host, "localhost.", "localhost."),
        (Filled, " x ", "x"),
    ],
)
def test_what_may_be_is_kept(kind: Any, text: str, kept: str) -> None:
    assert check(kind, text) == kept


def test_an_mcp_servers_address_may_hold_secrets() -> None:
    url = "https://user:password@host:8443/a-path/mcp?key=value"
    assert check(McpAddress, url).get_secret_value() == url


@pytest.mark.parametrize(
    "url",
    [
        "redis://127.0.0.1:6379",
        "redis://user:password@redis.example/2",
        "rediss://:password@redis.example:6380/0?ssl_ca_certs=/etc/ca.pem",
        "unix:///run/redis.sock?db=1",
    ],
)
def test_the_address_of_redis_may_hold_a_password(url: str) -> None:
    assert check(RedisAddress, url).get_secret_value() == url


@pytest.mark.parametrize(
    "url",
    [
        "redis.example:6379",
        "http://redis.example",
        "redis://",
        "redis://redis.example:0",
        "redis://redis.example:port",
        "redis://redis.example/name",
        "redis://redis.example?host=other",
        "redis://redis.example#x",
        "unix://",
        "unix://host/redis.sock",
        "redis://a\nb",
    ],
)
def test_what_is_no_address_of_redis_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(ValidationError, match="must be redis://HOST:PORT"):
        check(RedisAddress, url)


@pytest.mark.parametrize(
    ("kind", "text", "said"),
    [
        (Address, "localhost:7880", "must start with ws:// or wss:// and name a host"),
        (Address, "wss://", "and name a host"),
        (Address, "ws://[::1", "a host or a port that cannot be"),
        (Address, "ws://host:port", "a host or a port that cannot be"),
        (Address, "ws://host:0", "a host or a port that cannot be"),
        (Address, "wss://my project.livekit.cloud", "a host or a port that cannot be"),
        (Address, "wss://10.0.0.256", "a host or a port that cannot be"),
        (Address, "wss://a..b", "a host or a port that cannot be"),
        (Address, f"wss://{'ü' * 64}.example", "a host or a port that cannot be"),
        (Address, "wss://user:secret@host", "must be nothing but scheme and host"),
        (Address, "wss://host?token=x", "must be nothing but scheme and host"),
        (Bare, "wss://host/v3/ws", "must be nothing but scheme and host"),
        (OpenAI, "https://api.openai.com", "must end in /v1"),
        (Host, "http://0.0.0.0", "must be an IP address or the name of a host, no more"),
        (McpAddress, "mcp.example.com/mcp", "must be an address such as"),
        (McpAddress, "https://mcp.example.com:no/mcp", "must be an address such as"),
        (McpAddress, "https:///mcp", "must be an address such as"),
        (McpAddress, "https://host/m\ncp", "must be an address such as"),
        (ApiKey, "two words", "a character that no key has"),
        (ApiKey, "line\n", "a character that no key has"),
        (ApiKey, "clé", "a character that no key has"),
        (Location, "~nobody-of-this-name/x", "begins with ~, which is no folder here"),
        (Filled, " ", "at least 1 character"),
    ],
)
def test_what_cannot_be_is_refused_with_a_reason(kind: Any, text: str, said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        check(kind, text)


def test_a_key_is_not_shown() -> None:
    assert "sk-key" not in repr(check(ApiKey, "sk-key"))


def test_a_tilde_is_the_home_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/ann")
    assert check(Location, "~/records") == Path("/home/ann/records")


def test_a_fault_in_a_section_does_not_show_the_value() -> None:
    class Door(Section):
        code: int

    with pytest.raises(ValidationError) as caught:
        Door(code="s3cret")
    assert "s3cret" not in str(caught.value)
