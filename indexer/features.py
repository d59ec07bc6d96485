"""A place for the features of one video's frames, however long it is: on disk, not in memory.

It must not know what features are, only that they come in rows.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from types import TracebackType

import numpy as np

from unify.engine.types import Float32


class FeatureFile:
    """Rows of float32 in a file without a name; use it as a context manager.

    Args:
        folder: on the disk that has room for it: 0.5 GB for a day of video with `mini`.
    """

    def __init__(self, folder: Path) -> None:
        self._file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - closed by __exit__
        self._columns = 0

    def __enter__(self) -> FeatureFile:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()

    def append(self, rows: Float32) -> None:
        """Add (F, C) rows, C the same in every call.

        Raises:
            OSError: the disk is full.
        """
        self._columns = rows.shape[1]
        self._file.write(np.ascontiguousarray(rows, np.float32).data)

    def whole(self) -> Float32:
        """Return all rows, (F, C), mapped read-only; good until the file is closed.

        Raises:
            OSError: the disk is full.
        """
        self._file.flush()
        return np.memmap(self._file, np.float32, "r").reshape(-1, self._columns)
