"""Small pictures of moments, made when first asked for and then kept in the XDG cache.

Not in the index: at 320 pixels a picture is 8 KB (the mean of 40 real clips), and all else that
the index keeps of a moment 4.4 KB; most are never looked at. One takes some 20 ms to make from
small clips, and half a second from 1080p with rare key pictures. They are kept by a video's
content, so a renamed or moved file keeps its own.
"""

from __future__ import annotations

import hashlib
import os
import threading
from contextlib import suppress
from pathlib import Path

from unify.engine.errors import MediaError
from unify.indexer.jobs import JobProcess

WIDTH = 320
_KEEP_BYTES = 256 << 20
_ENDS_BYTES = 64 << 10  # of either end of a file, by which it is known again
_SWEEP_EVERY = 200  # pictures made


class Thumbnails:
    """Makes and keeps them; close it after use. For several threads at once.

    Args:
        folder: where they are kept; None keeps none. See `cache_folder`.
        keep_bytes: how much is kept; what was not asked for longest goes first.
        processes: how many decoders may run at once.
    """

    def __init__(
        self, folder: Path | None, keep_bytes: int = _KEEP_BYTES, processes: int = 1
    ) -> None:
        self._folder = folder
        self._keep_bytes = keep_bytes
        self._idle = [JobProcess() for _ in range(processes)]
        self._free = threading.Semaphore(processes)
        self._lock = threading.Lock()
        self._made = 0

    def __enter__(self) -> Thumbnails:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the decoders."""
        with self._lock:
            for process in self._idle:
                process.close()

    def thumbnail(self, path: str, time_s: float, width: int = WIDTH) -> bytes:
        """Return the picture that shows at a time, upright, as a JPEG.

        Args:
            path: the video.
            time_s: seconds after its first picture.
            width: in pixels; never enlarged.

        Raises:
            MediaError: the video is gone, or cannot be read there.
        """
        kept = self._folder / _name(path, time_s, width) if self._folder else None
        if kept is not None:
            with suppress(OSError):
                data = kept.read_bytes()
                os.utime(kept)  # asked for now
                return data
        data = self._make(path, time_s, width)
        if kept is not None:
            self._keep(kept, data)
        return data

    def _make(self, path: str, time_s: float, width: int) -> bytes:
        with self._free:
            with self._lock:
                process = self._idle.pop()
            try:
                return process.picture(path, time_s, width)[1]
            finally:
                with self._lock:
                    self._idle.append(process)

    def _keep(self, path: Path, data: bytes) -> None:
        """Write a picture; a full disk or a folder that cannot be written costs time alone."""
        temporary = path.with_name(f"{path.name}.{os.getpid()}.{threading.get_ident()}.tmp")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            temporary.write_bytes(data)
            temporary.replace(path)
        except OSError:
            with suppress(OSError):
                temporary.unlink()
            return
        with self._lock:
            self._made += 1
            due = self._made % _SWEEP_EVERY == 1
        if due and self._folder is not None:
            sweep(self._folder, self._keep_bytes)


def cache_folder() -> Path | None:
    """Return where thumbnails are kept by default, or None without a home."""
    try:
        base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    except RuntimeError:
        return None
    return Path(base) / "unify" / "thumbnails"


def thumbnail(path: str, time_s: float, width: int = WIDTH) -> bytes:
    """Return one thumbnail; see `Thumbnails.thumbnail`, which is faster for several."""
    with Thumbnails(cache_folder()) as thumbnails:
        return thumbnails.thumbnail(path, time_s, width)


def sweep(folder: Path, keep_bytes: int) -> None:
    """Remove what was not asked for longest, until no more than `keep_bytes` are left."""
    found = []
    for path in folder.glob("*/*"):
        with suppress(OSError):  # another process sweeps too
            facts = path.stat()
            found.append((facts.st_mtime, facts.st_size, path))
    total = sum(size for _, size, _ in found)
    for _, size, path in sorted(found):
        if total <= keep_bytes:
            return
        with suppress(OSError):
            path.unlink()
        total -= size


def _name(path: str, time_s: float, width: int) -> Path:
    try:
        size = Path(path).stat().st_size
        with open(path, "rb") as file:  # noqa: PTH123 - bytes names survive
            ends = file.read(_ENDS_BYTES)
            file.seek(max(0, size - _ENDS_BYTES))
            ends += file.read(_ENDS_BYTES)
    except OSError as error:
        raise MediaError(f"cannot be read ({error.strerror})") from None
    video = hashlib.blake2b(ends + size.to_bytes(8, "little"), digest_size=16).hexdigest()
    return Path(video[:2]) / f"{video}-{round(time_s * 1000)}-{width}.jpg"
