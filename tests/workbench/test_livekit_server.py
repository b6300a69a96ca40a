"""What the LiveKit server is told."""

from workbench.local.livekit_server import Access, Doors, config_body, own_address

DOORS = Doors(7000, 7001, "s" * 32)


def test_nothing_of_the_server_listens_beyond_loopback() -> None:
    body = config_body(DOORS, api_key="key")
    assert body.splitlines() == [
        "port: 7000",
        'bind_addresses: ["127.0.0.1"]',
        "rtc:",
        "  tcp_port: 0",
        "  udp_port: 7001",
        "  use_external_ip: false",
        "  enable_loopback_candidate: true",
        "  node_ip: 127.0.0.1",
        "  interfaces:",
        "    includes: [lo, lo0]",
        "keys:",
        f"  key: {'s' * 32}",
    ]


def test_for_firefox_the_media_socket_alone_is_on_one_more_address() -> None:
    body = config_body(DOORS, api_key="key", media_address="192.0.2.7")
    assert 'bind_addresses: ["127.0.0.1"]' in body
    assert "tcp_port: 0" in body
    assert "includes: [127.0.0.1/32, 192.0.2.7/32]" in body
    assert "use_ice_lite: true" in body  # or the server would ask public STUN servers
    assert "node_ip" not in body  # or both addresses would be offered as that one


def test_webhooks_are_sent_where_the_doors_say() -> None:
    doors = Doors(7000, 7001, "s" * 32, ("http://127.0.0.1:8081/livekit/webhook",))
    assert config_body(doors, api_key="key").endswith(
        "webhook:\n  api_key: key\n  urls: [http://127.0.0.1:8081/livekit/webhook]\n"
    )


def test_this_machines_address_in_its_network_is_no_loopback_address() -> None:
    assert not own_address().startswith("127.")


def test_a_secret_is_not_shown() -> None:
    assert "hush" not in repr(Access("ws://127.0.0.1:1", "key", "hush"))
