"""Which files of the given PATHs are videos, and how to know one again under another name.

Looks at names and sizes; whether a file really is a video, the decoder finds out.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path

from unify.engine.errors import UsageError
from unify.engine.manifest import Root
from unify.indexer import ignore
from unify.indexer.sidecars import NONE, Beside, Sidecars

_NAMES = (
    ".3g2 .3gp .asf .avi .divx .dv .f4v .flv .h264 .h265 .hevc .ivf .m1v .m2ts .m2v .m4v .mjpeg "
    ".mkv .mov .mp4 .mpe .mpeg .mpg .mts .mxf .nut .ogm .ogv .rm .rmvb .ts .vob .webm .wmv .y4m"
)
EXTENSIONS = frozenset(_NAMES.split())
WHOLE_BYTES = 64 << 20  # files up to this size are hashed wholly
_BLOCK_BYTES = 8 << 20  # of larger ones: this much of head, middle and tail


@dataclass(frozen=True, slots=True)
class Candidate:
    """A file that may be a video.

    Attributes:
        root: the PATH that it was found under.
        rel: its path relative to the root.
        size_bytes: its size.
        mtime_ns: when it was last written, nanoseconds since 1970.
        sidecars: its subtitle files.
    """

    root: Root
    rel: str
    size_bytes: int
    mtime_ns: int
    sidecars: Sidecars = NONE

    @property
    def path(self) -> str:
        """Its absolute path."""
        return os.path.normpath(os.path.join(self.root.path, self.rel))  # noqa: PTH118 - fast

    @property
    def shown(self) -> str:
        """Its path as the user would write it."""
        return os.path.normpath(Path(self.root.given) / self.rel)


@dataclass(frozen=True, slots=True)
class Choice:
    """Which of the videos under the PATHs are meant.

    Attributes:
        exclude: patterns of files and folders to leave out (`indexer/ignore.py`).
        unsettled: absolute paths that may still change: neither taken up nor taken for deleted.
        away: absolute paths of folders that cannot be looked at now: nothing below is taken for
            deleted, though a folder above is looked at.
    """

    exclude: tuple[str, ...] = ()
    unsettled: Collection[str] = frozenset()
    away: tuple[str, ...] = ()


EVERYTHING = Choice()


@dataclass(slots=True)
class Discovery:
    """What was found.

    Attributes:
        candidates: in the order of the PATHs, links after files, then of names; no file twice.
        named: absolute paths of the PATHs.
        empty: PATHs under which there is no video, as given.
        unreadable: (path, reason) of folders and files that could not be looked at.
        ignored: absolute paths of videos that were left out by rules.
        again: absolute paths of folders that were not entered, as they were under another name.
        choice: what the caller wants left as it is.
    """

    candidates: list[Candidate] = field(default_factory=list)
    named: list[str] = field(default_factory=list)
    empty: list[str] = field(default_factory=list)
    unreadable: list[tuple[str, str]] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)
    again: list[str] = field(default_factory=list)
    choice: Choice = EVERYTHING

    def gone(self, path: str) -> bool:
        """Return whether nothing lies at a path, or nothing that was not found under another."""
        return gone(path) or any(is_under(path, folder) for folder in self.again)


def discover(paths: Sequence[Path], choice: Choice = EVERYTHING) -> Discovery:
    """Find the videos of files and folders.

    Folders are searched whole; hidden files and folders are left out. Links are followed, after all
    else below the PATH: no folder is entered twice, and a link must not take the videos of a
    folder, nor the video of a file, that lies there itself. A file that is named itself is taken
    whatever its extension and whatever the rules.

    Raises:
        UsageError: a path does not exist, or is neither a file nor a folder; a rule cannot be
            understood.
    """
    found = Discovery(choice=choice)
    beside = Beside()
    seen: set[str] = set()
    for path in paths:
        absolute = os.path.normpath(path.absolute())
        found.named.append(absolute)
        before = len(found.candidates)
        known = False
        for candidate in _under(path, absolute, found, choice):
            known |= candidate.path in seen or candidate.path in choice.unsettled
            if candidate.path not in seen and candidate.path not in choice.unsettled:
                seen.add(candidate.path)
                found.candidates.append(replace(candidate, sidecars=beside.of(candidate.path)))
        known = known or any(name in seen for name in found.ignored)
        if len(found.candidates) == before and not known:
            found.empty.append(str(path))
    found.ignored = sorted(set(found.ignored) - seen)
    return found


def _under(path: Path, absolute: str, found: Discovery, choice: Choice) -> Iterator[Candidate]:
    try:
        facts = path.stat()
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror or error}", "give a file or a folder") from None
    if stat.S_ISDIR(facts.st_mode):
        root = Root(absolute if path.is_absolute() else str(path), absolute)
        names = _files(absolute, found, ignore.Rules.given(choice.exclude, absolute))
        for name in _links_last(names):
            try:
                facts = os.stat(name)  # noqa: PTH116 - one of very many
            except OSError as error:
                found.unreadable.append((name, error.strerror or str(error)))
                continue
            if stat.S_ISREG(facts.st_mode):
                rel = name[len(absolute.rstrip(os.sep)) + 1 :]
                yield Candidate(root, rel, facts.st_size, facts.st_mtime_ns)
            else:  # a pipe, a device: reading it might never end
                found.unreadable.append((name, "not a regular file"))
    elif stat.S_ISREG(facts.st_mode):
        above = str(Path(absolute).parent)
        root = Root(above if path.is_absolute() else str(path.parent), above)
        yield Candidate(root, Path(absolute).name, facts.st_size, facts.st_mtime_ns)
    else:
        raise UsageError(f"{path}: neither a file nor a folder", "give a file or a folder")


def _links_last(paths: Iterable[str]) -> Iterator[str]:
    links = []
    for path in paths:
        if os.path.islink(path):  # noqa: PTH114 - one of very many
            links.append(path)
        else:
            yield path
    yield from links


def _files(top: str, found: Discovery, rules: ignore.Rules) -> Iterator[str]:
    """Yield the paths below a folder that look like videos; note those that the rules leave out."""

    def unreadable(error: OSError) -> None:
        found.unreadable.append((str(error.filename), error.strerror or str(error)))

    entered: set[tuple[bool, int, int]] = set()
    rules_of: dict[str, ignore.Rules | None] = {top: rules}  # None: all below is left out
    links = [top]  # to be walked; more are found on the way
    walks = (os.walk(link, onerror=unreadable) for link in links)
    for folder, folders, names in chain.from_iterable(walks):
        here = rules_of.pop(folder)
        try:
            facts = os.stat(folder)  # noqa: PTH116 - as os.walk gives it
            if here is not None and ignore.NAME in names:
                here = here.within(folder)
        except OSError as error:  # it has just vanished, or its rules cannot be read
            unreadable(error)
            folders.clear()
            continue
        key = (here is None, facts.st_dev, facts.st_ino)
        if key in entered:
            found.again.append(folder)
            folders.clear()
            continue
        entered.add(key)
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        below = [os.path.join(folder, name) for name in folders]  # noqa: PTH118
        links += filter(os.path.islink, below)
        for path in below:
            left_out = here is None or here.ignore(path + "/")
            rules_of[path] = None if left_out else here
        for name in sorted(names):
            if not name.startswith(".") and os.path.splitext(name)[1].lower() in EXTENSIONS:  # noqa: PTH122
                path = os.path.join(folder, name)  # noqa: PTH118
                if here is None or here.ignore(path):
                    found.ignored.append(path)
                else:
                    yield path


def is_under(path: str, folder: str) -> bool:
    """Return whether a path is a folder, or lies in it; both absolute and normal."""
    return path == folder or path.startswith(folder.rstrip(os.sep) + os.sep)


def gone(path: str) -> bool:
    """Return whether nothing lies at a path any more; False when it cannot be looked at."""
    try:
        os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:
        return False
    return False


def digest(path: str) -> str:
    """Return a hash of a file's content, by which it is known again under another name.

    Files above 64 MiB are told apart by their size and 8 MiB each of head, middle and tail:
    reading terabytes to recognise a rename is not worth it, and whole videos that agree in all of
    these are the same video. Of damaged ones `indexer/plan.py` asks for more.

    Raises:
        OSError: the file cannot be read.
    """
    state = hashlib.blake2b(digest_size=20)
    with Path(path).open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        state.update(size.to_bytes(8, "little"))
        if size <= WHOLE_BYTES:
            while block := file.read(1 << 20):
                state.update(block)
        else:
            for start in (0, (size - _BLOCK_BYTES) // 2, size - _BLOCK_BYTES):
                file.seek(start)
                state.update(file.read(_BLOCK_BYTES))
    return state.hexdigest()
