"""A container image from a folder, without a container engine: an archive as `docker save` writes it.

python3 image.py FOLDER NAME OUT [ENTRYPOINT]
"""

import hashlib
import io
import json
import sys
import tarfile
from pathlib import Path


def as_root(member: tarfile.TarInfo) -> tarfile.TarInfo:
    """The same on every machine that builds it."""
    member.uid = member.gid = 0
    member.uname = member.gname = "root"
    member.mtime = 0
    return member


def layer(folder: Path) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for path in sorted(folder.iterdir()):
            tar.add(path, path.name, filter=as_root)
    return out.getvalue()


def write(folder: Path, name: str, out: Path, entrypoint: list[str]) -> None:
    content = layer(folder)
    digest = hashlib.sha256(content).hexdigest()
    config = {
        "architecture": "amd64",
        "os": "linux",
        "config": {"Env": ["PATH=/usr/bin:/bin"], "Entrypoint": entrypoint or None},
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{digest}"]},
    }
    described = json.dumps(config).encode()
    named = f"{hashlib.sha256(described).hexdigest()}.json"
    manifest = [{"Config": named, "RepoTags": [name], "Layers": [f"{digest}/layer.tar"]}]
    with tarfile.open(out, "w") as tar:
        for path, data in (
            (named, described),
            (f"{digest}/layer.tar", content),
            ("manifest.json", json.dumps(manifest).encode()),
        ):
            member = tarfile.TarInfo(path)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))


if __name__ == "__main__":
    write(Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3]), sys.argv[4:])
