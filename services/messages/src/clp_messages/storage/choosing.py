"""Which store keeps the files: chosen by the settings."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from clp_messages.storage.file_store import FileStore
from clp_messages.storage.local import FolderStore


def store_at(
    url: str, folder: Path, aside: Callable[[Callable[[], None]], Any]
) -> FileStore:
    """The store of a ``files_url``; without one, a folder.

    Raises:
        ValueError: in words for whoever wrote the address.
    """
    if not url:
        return FolderStore(folder, aside=aside)
    try:
        # Who keeps files in a folder need not install what speaks to S3.
        from clp_messages.storage.s3 import S3Store  # noqa: PLC0415
    except ImportError:
        raise ValueError("needs boto3: install clp-messages[s3]") from None
    return S3Store.at(url)
