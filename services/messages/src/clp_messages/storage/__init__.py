"""Where the bytes of attachments are kept: one interface, a folder or S3 behind it."""

from clp_messages.storage.choosing import store_at
from clp_messages.storage.folder import FolderStore
from clp_messages.storage.keeping import Arriving, FileGone, FileStore, Pieces

__all__ = ["Arriving", "FileGone", "FileStore", "FolderStore", "Pieces", "store_at"]
