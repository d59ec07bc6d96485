"""Videos as HTTP bodies, by byte ranges.

They go out as they are: what a browser cannot play is offered for download, with the exact time.
"""

from __future__ import annotations

import mimetypes
from pathlib import PurePath

from starlette.responses import FileResponse

from unify.cli.web.library import View
from unify.cli.web.models import readable

# What systems disagree on, or do not know.
_TYPES = {
    ".avi": "video/x-msvideo", ".m2ts": "video/mp2t", ".m4v": "video/mp4",
    ".mkv": "video/x-matroska", ".mov": "video/quicktime", ".mp4": "video/mp4",
    ".mts": "video/mp2t", ".ogv": "video/ogg", ".ts": "video/mp2t", ".webm": "video/webm",
}  # fmt: skip


def mime_of(name: str) -> str:
    """Return the type of a video file by its name.

    A video may have any name, and must not be a page or a script of ours for it.

    >>> mime_of("a/Trip.MKV"), mime_of("a.unknown"), mime_of("a.html")
    ('video/x-matroska', 'application/octet-stream', 'application/octet-stream')
    """
    suffix = PurePath(name).suffix.lower()
    kind = _TYPES.get(suffix) or mimetypes.types_map.get(suffix, "")
    return kind if kind.startswith("video/") else "application/octet-stream"


def video_response(view: View, video_id: int, download: bool) -> FileResponse:
    """Return the bytes of a video's file, all or the ranges that are asked for.

    Raises:
        NoSuchVideo: there is no such video, or its file is gone.
    """
    path = view.file(video_id)
    kind = "attachment" if download else "inline"
    return FileResponse(
        path, media_type=mime_of(path.name), filename=readable(path.name), stat_result=path.stat(),
        content_disposition_type=kind,
    )  # fmt: skip
