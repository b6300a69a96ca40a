"""What probes bring back from a server: an answer, or the kind of trouble on the way to it."""

import errno
import json
import ssl
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any
from urllib.parse import urlsplit

import aiohttp

from agent.doctor.check import Check, Name, fault


class Trouble(Enum):
    """Why there is no answer."""

    NO_NAME = auto()
    REFUSED = auto()
    UNREACHABLE = auto()
    SILENT = auto()
    CERTIFICATE = auto()
    NO_TLS = auto()
    NO_HTTP = auto()


@dataclass(frozen=True, slots=True)
class Failure:
    """No answer; `words` are the system's, without anything that the server sent."""

    trouble: Trouble
    words: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer. Its text may repeat keys: judges show none of it."""

    status: int
    text: str
    clock_ahead_seconds: float | None = None
    """How far this machine's clock is ahead of the server's; None if it sent no date."""

    @property
    def json(self) -> Any:  # a foreign document
        """The text as JSON; None if it is none."""
        try:
            return json.loads(self.text)
        except ValueError:
            return None


Result = Answer | Failure


def failure(error: BaseException) -> Failure:
    """The trouble that an exception of aiohttp, of a socket or of a deadline means."""
    match error:
        case TimeoutError():
            return Failure(Trouble.SILENT)
        case aiohttp.ClientConnectorDNSError() | aiohttp.InvalidURL():
            return Failure(Trouble.NO_NAME)
        case aiohttp.ClientConnectorCertificateError():
            return Failure(Trouble.CERTIFICATE, _of_certificate(error.certificate_error))
        case aiohttp.ClientSSLError() | ssl.SSLError():
            return Failure(Trouble.NO_TLS)
        case aiohttp.ClientConnectorError() if error.os_error.errno == errno.ECONNREFUSED:
            return Failure(Trouble.REFUSED)
        case aiohttp.ClientConnectorError():
            return Failure(Trouble.UNREACHABLE, error.os_error.strerror or "")
        case _:
            return Failure(Trouble.NO_HTTP)


def _of_certificate(error: Exception) -> str:
    """Why a certificate was not accepted, in the words of OpenSSL."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return error.verify_message
    return type(error).__name__


_PORTS = {"wss": 443, "https": 443, "redis": 6379, "rediss": 6379}
_SECURE = ("wss", "https", "rediss")


def place(url: str) -> str:
    """The host and the port of an address, or the path of a socket, as a person writes them."""
    parts = urlsplit(url)
    if parts.scheme == "unix":
        return parts.path
    return f"{parts.hostname}:{parts.port or _PORTS.get(parts.scheme, 80)}"


def is_encrypted(url: str) -> bool:
    """Whether this address asks for TLS."""
    return urlsplit(url).scheme in _SECURE


def expected_tls(answer: Answer) -> bool:
    """Whether a server says that it speaks TLS on this port, and was asked without."""
    return answer.status == 400 and "https" in answer.text.lower()


def unreachable(name: Name, url: str, setting: str, failed: Failure) -> Check:
    """The check of a server that gave no answer at the address in `setting`."""
    host, at = urlsplit(url).hostname, place(url)
    scheme = urlsplit(url).scheme
    without_tls = scheme[:-1] if scheme in _SECURE else scheme
    plain, secure = f"{without_tls}://", f"{without_tls}s://"
    match failed.trouble:
        case Trouble.NO_NAME:
            seen = f"{host} has no address"
            mend = f"correct the host in {setting}, or this machine's DNS"
        case Trouble.REFUSED:
            seen = f"nothing listens at {at}"
            mend = f"start the server, or correct the port in {setting}"
        case Trouble.SILENT:
            seen = f"{at} does not answer in time"
            mend = f"let this machine connect to {at} (firewall?), or correct {setting}"
        case Trouble.UNREACHABLE:
            seen = f"{at} cannot be reached ({failed.words})"
            mend = f"correct {setting}, or this machine's network"
        case Trouble.CERTIFICATE:
            seen = f"the certificate of {host} is not accepted ({failed.words})"
            mend = (
                f"write the name that the certificate has into {setting}; if an authority of your "
                "own signed it, name its file in SSL_CERT_FILE"
            )
        case Trouble.NO_TLS:
            seen = f"{at} speaks no TLS"
            mend = f"write {plain} instead of {secure} in {setting}, or the port that has TLS"
        case _:
            seen = f"{at} closes the connection without an answer"
            mend = f"correct the port in {setting}"
            if not is_encrypted(url):
                mend += f", or write {secure} instead of {plain} if the server wants TLS"
    return fault(name, seen, mend)
