"""What the LiveKit server is told."""

from workbench.local.livekit_server import Access, config_body


def test_nothing_of_the_server_listens_beyond_loopback() -> None:
    body = config_body(port=7000, udp_port=7001, api_key="key", api_secret="s" * 32)
    assert body.splitlines() == [
        "port: 7000",
        'bind_addresses: ["127.0.0.1"]',
        "rtc:",
        "  tcp_port: 0",
        "  udp_port: 7001",
        "  use_external_ip: false",
        "  node_ip: 127.0.0.1",
        "  enable_loopback_candidate: true",
        "  interfaces:",
        "    includes: [lo, lo0]",
        "keys:",
        f"  key: {'s' * 32}",
    ]


def test_a_secret_is_not_shown() -> None:
    assert "hush" not in repr(Access("ws://127.0.0.1:1", "key", "hush"))
