"""Which files beside a video are its subtitles, and whether they are still what they were.

`clip.srt` and `clip.vtt` belong to `clip.mp4`, with English named or not (`clip.en.srt`,
`clip.en-US.vtt`, `clip.eng.sdh.srt`). Other languages are left: the words of a German film would
be taken for English ones that are spelled alike. Looks at names, sizes and times, never inside.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass

SUBTITLES = "subtitles"  # how each note on them begins

_ENDINGS = (".srt", ".vtt")
_MOST_PARTS = 3  # .en.sdh.srt
_ENGLISH = r"en|eng|english"
_SUFFIX = re.compile(
    rf"((\.({_ENGLISH})([-_]\w+)?)(\.(sdh|cc|hi|forced))?|\.(sdh|cc|forced))?\.(srt|vtt)",
    re.ASCII | re.IGNORECASE,
)
_LANGUAGE = re.compile(rf"(({_ENGLISH})([-_]\w+)?|und)?", re.ASCII | re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Sidecars:
    """The subtitle files of one video.

    Attributes:
        paths: of all of them, in the order of their names.
        stamp: their endings, sizes and times of writing: changes when one of them does, is added
            or taken away, not when the video and they are renamed; "" when there is none.
    """

    paths: tuple[str, ...] = ()
    stamp: str = ""


NONE = Sidecars()


class Beside:
    """Finds the subtitle files of videos; lists a folder once for the videos that follow in it."""

    def __init__(self) -> None:
        self._folder = ""
        self._by_stem: dict[str, list[str]] = {}

    def of(self, video: str) -> Sidecars:
        """Return the subtitle files of a video, given its absolute path."""
        folder, name = os.path.split(video)
        if folder != self._folder:
            self._folder, self._by_stem = folder, by_stem(_names(folder))
        stem = os.path.splitext(name)[0]  # noqa: PTH122 - one of very many
        found = self._by_stem.get(stem, [])
        paths = tuple(os.path.join(folder, other) for other in found)  # noqa: PTH118
        facts = (f"{path[len(folder) + 1 + len(stem) :]}:{_facts(path)}" for path in paths)
        return Sidecars(paths, " ".join(facts)) if paths else NONE


def is_english(language: str) -> bool:
    """Return whether a container's tag of a language says English, or nothing.

    >>> [is_english(tag) for tag in ("eng", "en-GB", "", "und", "de", "enm")]
    [True, True, True, True, False, False]
    """
    return bool(_LANGUAGE.fullmatch(language))


def by_stem(names: Iterable[str]) -> dict[str, list[str]]:
    """Group the subtitle files among a folder's names by the stem of the video they go with.

    >>> by_stem(["a.srt", "a.b.en.vtt", "a.de.srt", "a.mp4"])
    {'a.b': ['a.b.en.vtt'], 'a.b.en': ['a.b.en.vtt'], 'a.de': ['a.de.srt'], 'a': ['a.srt']}
    """
    found: dict[str, list[str]] = {}
    for name in sorted(name for name in names if name.lower().endswith(_ENDINGS)):
        dots = [at for at, letter in enumerate(name) if letter == "." and at]
        for at in dots[-_MOST_PARTS:]:
            if _SUFFIX.fullmatch(name, at):
                found.setdefault(name[:at], []).append(name)
    return found


def _names(folder: str) -> list[str]:
    try:
        return os.listdir(folder)  # noqa: PTH208 - names alone
    except OSError:
        return []  # whoever looks for videos says why


def _facts(path: str) -> str:
    try:
        facts = os.stat(path)  # noqa: PTH116
    except OSError:
        return "?"  # whoever reads it says why
    return f"{facts.st_size}:{facts.st_mtime_ns}"
