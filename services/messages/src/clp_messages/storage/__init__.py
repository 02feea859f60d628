"""Where the bytes of attachments are kept: one interface, a folder or S3 behind it."""

from clp_messages.storage.choosing import store_at
from clp_messages.storage.file_store import Arriving, FileGone, FileStore, Pieces
from clp_messages.storage.local import FolderStore

__all__ = ["Arriving", "FileGone", "FileStore", "FolderStore", "Pieces", "store_at"]
