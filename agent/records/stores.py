"""Opens the store that the settings name."""

from collections.abc import Mapping
from pathlib import Path

from agent.records.store import FolderStore, Store

S3 = "s3://"


def open_store(where: str | None, variables: Mapping[str, str]) -> Store | None:
    """The store that AGENT_RECORD_STORE names; None if it names none. Opens no connection.

    `variables` hold AWS's own names for the keys and the address of an object store. Raises
    StoreError if what they say cannot be.
    """
    if not where:
        return None
    if not where.startswith(S3):
        return FolderStore(Path(where))
    # It takes 0.1 s to import, and only workers with such a store need it.
    from agent.records.object_store import ObjectStore

    return ObjectStore(where, variables)
