"""Writes the files of tiny data sets."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path


def write(path: Path, content: object) -> Path:
    """Write a text, or anything else as JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def write_tar(path: Path, pictures: dict[str, bytes]) -> None:
    with tarfile.open(path, "w") as tar:
        for name, data in pictures.items():
            member = tarfile.TarInfo(f"some/folder/{name}")
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
