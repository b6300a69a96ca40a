"""Each kind of trouble on the way to a server has its own sentence and its own mend."""

import errno
import ssl
from typing import Any

import aiohttp
import pytest
from aiohttp.client_reqrep import ConnectionKey

from agent.doctor.answers import (
    Answer,
    Failure,
    Trouble,
    expected_tls,
    failure,
    is_encrypted,
    place,
    unreachable,
)
from agent.doctor.check import Name, State

KEY: Any = ConnectionKey("host", 1, True, True, None, None, None)


@pytest.mark.parametrize(
    ("error", "found"),
    [
        (TimeoutError(), Failure(Trouble.SILENT)),
        (aiohttp.ServerTimeoutError(), Failure(Trouble.SILENT)),
        (aiohttp.ClientConnectorDNSError(KEY, OSError(-2, "x")), Failure(Trouble.NO_NAME)),
        (aiohttp.InvalidURL("ws://"), Failure(Trouble.NO_NAME)),
        (
            aiohttp.ClientConnectorCertificateError(KEY, ssl.SSLCertVerificationError(1, "x")),
            Failure(Trouble.CERTIFICATE, ""),
        ),
        (
            aiohttp.ClientConnectorCertificateError(KEY, ssl.CertificateError("x")),
            Failure(Trouble.CERTIFICATE, ""),
        ),
        (
            aiohttp.ClientConnectorCertificateError(KEY, ValueError("secret words")),
            Failure(Trouble.CERTIFICATE, "ValueError"),
        ),
        (aiohttp.ClientConnectorSSLError(KEY, OSError(1, "x")), Failure(Trouble.NO_TLS)),
        (ssl.SSLError(1, "x"), Failure(Trouble.NO_TLS)),
        (
            aiohttp.ClientConnectorError(KEY, OSError(errno.ECONNREFUSED, "x")),
            Failure(Trouble.REFUSED),
        ),
        (
            aiohttp.ClientConnectorError(KEY, OSError(errno.EHOSTUNREACH, "No route to host")),
            Failure(Trouble.UNREACHABLE, "No route to host"),
        ),
        (aiohttp.ClientConnectorError(KEY, OSError()), Failure(Trouble.UNREACHABLE, "")),
        (aiohttp.ServerDisconnectedError(), Failure(Trouble.NO_HTTP)),
        (ConnectionResetError(), Failure(Trouble.NO_HTTP)),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_an_exception_is_one_kind_of_trouble(error: Exception, found: Failure) -> None:
    if isinstance(found, Failure) and found.trouble is Trouble.CERTIFICATE and not found.words:
        certificate = error.certificate_error  # type: ignore[attr-defined]  # it has one
        certificate.verify_message = ""
    assert failure(error) == found


@pytest.mark.parametrize(
    ("trouble", "seen", "mend"),
    [
        (Trouble.NO_NAME, "example.com has no address", "correct the host in LIVEKIT_URL"),
        (Trouble.REFUSED, "nothing listens at example.com:443", "start the server"),
        (Trouble.SILENT, "does not answer in time", "let this machine connect"),
        (Trouble.UNREACHABLE, "cannot be reached (why)", "this machine's network"),
        (Trouble.CERTIFICATE, "is not accepted (why)", "SSL_CERT_FILE"),
        (Trouble.NO_TLS, "speaks no TLS", "write ws:// instead of wss://"),
        (Trouble.NO_HTTP, "without an answer", "correct the port"),
    ],
)
def test_each_trouble_has_its_own_mend(trouble: Trouble, seen: str, mend: str) -> None:
    found = unreachable(
        Name.LIVEKIT_ADDRESS, "wss://example.com", "LIVEKIT_URL", Failure(trouble, "why")
    )
    assert found.state is State.FAULT
    assert seen in found.seen
    assert mend in found.mend
    assert "LIVEKIT_URL" in found.mend


@pytest.mark.parametrize(
    ("url", "advice"),
    [("ws://a:1", "write wss:// instead of ws://"), ("http://a:1/v1", "write https:// instead of")],
)
def test_a_server_that_hangs_up_may_want_tls(url: str, advice: str) -> None:
    assert advice in unreachable(Name.OPENAI_LLM, url, "X", Failure(Trouble.NO_HTTP)).mend


@pytest.mark.parametrize(
    ("url", "at", "encrypted"),
    [
        ("wss://a.example", "a.example:443", True),
        ("https://a.example:7/v1", "a.example:7", True),
        ("ws://127.0.0.1:7880", "127.0.0.1:7880", False),
        ("http://a.example", "a.example:80", False),
    ],
)
def test_a_place_is_a_host_and_a_port(url: str, at: str, encrypted: bool) -> None:
    assert place(url) == at
    assert is_encrypted(url) == encrypted


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (Answer(400, "Client sent an HTTP request to an HTTPS server."), True),
        (Answer(400, "bad"), False),
        (Answer(404, "https"), False),
    ],
)
def test_a_server_that_was_asked_without_tls_says_so(answer: Answer, expected: bool) -> None:
    assert expected_tls(answer) == expected


def test_an_answer_that_is_no_json_is_none() -> None:
    assert Answer(200, '{"a": 1}').json == {"a": 1}
    assert Answer(200, "<html>").json is None
