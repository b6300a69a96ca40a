"""An object store that speaks S3: Amazon's, or any other at an address of one's own."""

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

import obstore
from obstore.exceptions import BaseError
from obstore.store import S3Store

from agent.records.store import StoreError

VARIABLES = frozenset(
    {
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "AWS_REGION",
        "AWS_DEFAULT_REGION",
        "AWS_ENDPOINT_URL",
    }
)
"""What AWS's own programs read, too. Without keys, a role of the machine is used if it has one."""

REQUEST_SECONDS = 60
CONNECT_SECONDS = 5
_LONGEST = 200  # characters of an error


class ObjectStore:
    """A bucket, or what is below a prefix in it: `s3://bucket/prefix`."""

    def __init__(self, url: str, variables: Mapping[str, str]) -> None:
        """Raises StoreError if the address cannot be."""
        config = {name.lower(): variables[name] for name in VARIABLES & variables.keys()}
        config.setdefault("aws_region", config.get("aws_default_region", "us-east-1"))
        is_plain = config.get("aws_endpoint_url", "").startswith("http://")
        try:
            self._store = S3Store.from_url(
                url,
                config=config,  # type: ignore[arg-type]  # its keys are those of AWS
                client_options={
                    "allow_http": is_plain,
                    "timeout": timedelta(seconds=REQUEST_SECONDS),
                    "connect_timeout": timedelta(seconds=CONNECT_SECONDS),
                },
                # The outbox tries again later. This only makes good a lost packet.
                retry_config={
                    "max_retries": 1,
                    "retry_timeout": timedelta(seconds=CONNECT_SECONDS),
                },
            )
        except (BaseError, ValueError) as error:
            raise StoreError(_short(error)) from None

    async def put(self, name: str, file: Path) -> None:
        try:
            await obstore.put_async(self._store, name, file)
        except (BaseError, OSError) as error:
            raise StoreError(_short(error)) from None

    async def get(self, name: str) -> bytes | None:
        try:
            found = await obstore.get_async(self._store, name)
            return bytes(await found.bytes_async())
        except FileNotFoundError:
            return None
        except (BaseError, OSError) as error:
            raise StoreError(_short(error)) from None

    async def remove(self, name: str) -> None:
        try:
            await obstore.delete_async(self._store, name)
        except FileNotFoundError:  # some stores say so
            return
        except (BaseError, OSError) as error:
            raise StoreError(_short(error)) from None


def _short(error: Exception) -> str:
    """The first line, without the library's dump."""
    return f"{error}".split("\n", 1)[0][:_LONGEST]
