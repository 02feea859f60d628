"""File stores for attachments: one interface, a local folder or S3."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from clp_messages.storage.file_store import (
    Chunks,
    FileMissing,
    FileStore,
    UploadStream,
)
from clp_messages.storage.local import LocalFileStore

__all__ = [
    "Chunks",
    "FileMissing",
    "FileStore",
    "LocalFileStore",
    "UploadStream",
    "open_file_store",
]


def open_file_store(
    url: str, folder: Path, run_blocking: Callable[[Callable[[], None]], Any]
) -> FileStore:
    """Open the store of a ``files_url``; without one, a local folder.

    Raises:
        ValueError: with a sentence for the operator who set the address.
    """
    if not url:
        return LocalFileStore(folder, run_blocking=run_blocking)
    try:
        # The S3 client is an optional dependency.
        from clp_messages.storage.s3 import S3FileStore  # noqa: PLC0415
    except ImportError:
        raise ValueError("needs boto3: install clp-messages[s3]") from None
    return S3FileStore.at(url)
