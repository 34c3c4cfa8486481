"""The folder of converted models: each is made once, and is there whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from baygrid.workloads.models import ModelMissing
from baygrid.workloads.whole import whole


def cache_folder() -> Path:
    """Where models are that were converted or fetched here: $BAYGRID_CACHE, else in the user's own cache."""
    return Path(os.environ.get("BAYGRID_CACHE") or Path.home() / ".cache" / "baygrid" / "models")


def get_or_make(name: str, make: Callable[[], bytes]) -> Path:
    """The file `name` of the cache; `make` gives its bytes where no earlier run did. The name says which
    source and which conversion it comes from, so that it never has to be made anew under the same name.
    Raises ModelMissing where the cache cannot be written."""
    target = cache_folder() / name
    if not target.exists():
        data = make()
        try:
            with whole(target, alone=False) as part:
                part.write_bytes(data)
        except OSError as error:
            raise ModelMissing(
                f"{target.parent} cannot keep a model: {error.strerror}; name another folder by BAYGRID_CACHE"
            ) from error
    return target
