"""Where videos lie: from ids to paths, and from a path or filters to ids.

It must not know what videos show.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

import numpy as np

from unify.engine.manifest import Root, Video
from unify.engine.not_indexed import not_indexed
from unify.engine.query import Filters
from unify.engine.tables import VideoTable
from unify.engine.types import UInt32


class Paths:
    """The paths of the videos of one snapshot; each is joined once."""

    def __init__(self, videos: VideoTable, roots: Sequence[Root]) -> None:
        self._videos, self._roots = videos, roots
        self._known: dict[int, list[tuple[str, str]]] = {}

    def of(self, video: int) -> list[tuple[str, str]]:
        """Return a video's path as given to `build`, and its absolute one; then its copies'."""
        if video not in self._known:
            self._known[video] = [
                (
                    os.path.normpath(os.path.join(root.given, place.rel)),  # noqa: PTH118 - fast
                    os.path.normpath(os.path.join(root.path, place.rel)),  # noqa: PTH118
                )
                for place in self._videos[video].places
                for root in (self._roots[place.root],)
            ]
        return self._known[video]

    def find(self, video: str) -> int:
        """Return the video of a path, shown or absolute.

        Raises:
            UsageError: no such video is indexed.
        """
        wanted = (os.path.normpath(video), os.path.abspath(video))  # noqa: PTH100 - links stay
        for id_ in self._videos.all:
            if any(wanted[0] == shown or path in wanted for shown, path in self.of(id_)):
                return id_
        raise not_indexed(video, (shown for id_ in self._videos.all for shown, _ in self.of(id_)))

    def meeting(self, filters: Filters) -> UInt32:
        """Return the ids of the videos that meet filters."""
        return np.array([v.id for v in self._videos.all.values() if self._meets(v, filters)], "<u4")

    def _meets(self, video: Video, filters: Filters) -> bool:
        paths = [shown.lower() for shown, _ in self.of(video.id)] if filters.paths else [""]
        return (
            any(all(part.lower() in path for part in filters.paths) for path in paths)
            and filters.min_s <= video.duration_s <= filters.max_s
            and filters.after <= video.recorded < filters.before
        )
