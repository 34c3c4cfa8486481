"""Where everything is kept: transactions on SQLite or PostgreSQL, objects in a folder or in S3."""

from baygrid.store.objects import FolderObjects, open_objects
from baygrid.store.opening import open_store
from baygrid.store.uploads import FolderUploads

__all__ = ["FolderObjects", "FolderUploads", "open_objects", "open_store"]
