"""What a build has to do: files on the disk against videos in the journal.

Decides and touches nothing, so that every case can be tested without a video.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from unify.indexer.discover import WHOLE_BYTES, Candidate
from unify.indexer.entries import Copy, Entry, State


@dataclass(frozen=True, slots=True)
class Job:
    """A video to decode and encode, and its entry (id 0 until the journal gives it one).

    A video that was not indexed yet keeps the id that it has: a build that was killed and one
    that was not end with the same ids.
    """

    candidate: Candidate
    entry: Entry


@dataclass(slots=True)
class Plan:
    """What to do.

    Attributes:
        jobs: videos to index, in the order found.
        skipped: how many are unchanged.
        touched: unchanged content with a new time of writing: entries as they shall be.
        renamed: known content under a new path: entries as they shall be.
        copies: all files that hold the content of another one.
        failed: videos that failed before and have not changed.
        replaced: entries whose path holds something else now.
        removed: entries whose file is gone.
        missing: entries whose file is gone and that stay searchable all the same.
    """

    jobs: list[Job] = field(default_factory=list)
    skipped: int = 0
    touched: list[Entry] = field(default_factory=list)
    renamed: list[Entry] = field(default_factory=list)
    copies: list[Copy] = field(default_factory=list)
    failed: list[Entry] = field(default_factory=list)
    replaced: list[Entry] = field(default_factory=list)
    removed: list[Entry] = field(default_factory=list)
    missing: list[Entry] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Disk:
    """What planning may ask about files.

    Attributes:
        digest: hash of a file's content, "" when it cannot be read.
        gone: whether nothing lies at a path any more (not: whether it cannot be looked at), or
            what lies there was found under another one.
        may_remove: whether a vanished file at a path may be taken for deleted.
    """

    digest: Callable[[str], str]
    gone: Callable[[str], bool]
    may_remove: Callable[[str], bool]


def make_plan(
    candidates: Sequence[Candidate],
    entries: Sequence[Entry],
    copies: Sequence[Copy],
    disk: Disk,
    retry_failed: bool,
) -> Plan:
    """Decide what becomes of every file and of every known video.

    A file of known content is a renamed video when the video's own file is gone or holds
    something else now; otherwise it is a copy. A video whose file was deleted goes on at a copy
    of it, where there is one. Contents are compared only between files of equal size. A video
    is what it was only while its subtitle files are, too.
    """
    planner = _Planner(entries, copies, disk)
    found = {candidate.path for candidate in candidates}
    planner.house([c for c in candidates if not planner.settle(c, retry_failed)], found)
    planner.retire(found)
    return planner.plan


def drop(entry: Entry, plan: Plan) -> None:
    """Take a video off, or where a copy of its file stays, let it go on there."""
    copy = next((c for c in plan.copies if _key(entry) in _keys(c.digest, c.mtime_ns)), None)
    if copy is None or entry.state is not State.COMPLETE:
        plan.removed.append(entry)
    else:
        plan.copies.remove(copy)
        plan.renamed.append(_at(entry, copy.root, copy.rel, copy.size_bytes, copy.mtime_ns))


def _at(entry: Entry, root: str, rel: str, size_bytes: int, mtime_ns: int) -> Entry:
    """Return a video as another file holds it; what was the time of writing is that of the new."""
    undated = entry.recorded == entry.mtime_ns / 1e9
    recorded = mtime_ns / 1e9 if undated else entry.recorded
    return replace(
        entry, root=root, rel=rel, size_bytes=size_bytes, mtime_ns=mtime_ns, recorded=recorded
    )


def _key(entry: Entry) -> str:
    """Return what the content of an indexed video is known by, or "".

    Of a large file the hash knows parts alone: a damaged one may be filled up between them. It
    is the same only while it was written at the same time.
    """
    partial = entry.damaged and entry.size_bytes > WHOLE_BYTES
    return f"{entry.digest}@{entry.mtime_ns}" if entry.digest and partial else entry.digest


def _keys(digest: str, mtime_ns: int) -> tuple[str, ...]:
    """Return all that `_key` may say of a video which a file of this content holds."""
    return (digest, f"{digest}@{mtime_ns}") if digest else ()


class _Planner:
    def __init__(self, entries: Sequence[Entry], copies: Sequence[Copy], disk: Disk) -> None:
        self.plan = Plan()
        self._disk = disk
        self._entries = entries
        self._by_path = {entry.path: entry for entry in entries}
        self._copies = {copy.path: copy for copy in copies}
        self._digests: dict[str, str] = {}
        self._moved: set[int] = set()  # entries that stay under another path
        self._unheard: set[int] = set()  # entries whose subtitle files alone have changed

    def settle(self, candidate: Candidate, retry_failed: bool) -> bool:
        """Deal with a file that is what it was; return whether it is."""
        entry = self._by_path.get(candidate.path)
        if entry is None or entry.state is State.PENDING:
            return False
        facts = (candidate.size_bytes, candidate.mtime_ns)
        same = facts == (entry.size_bytes, entry.mtime_ns)
        heard = candidate.sidecars.stamp == entry.subtitles
        if entry.state is State.FAILED:
            known = same and heard and not retry_failed
            if known:
                self.plan.failed.append(entry)
            return known
        if not same:
            if _key(entry) not in _keys(self._digest(candidate), candidate.mtime_ns):
                return False
            if heard:
                self.plan.touched.append(_at(entry, entry.root, entry.rel, *facts))
        if not heard:
            self._unheard.add(entry.id)
            return False
        self.plan.skipped += 1
        return True

    def house(self, loose: Sequence[Candidate], found: set[str]) -> None:
        """Find out what new and changed files are: renamed, copies, or to be indexed."""
        changed = {candidate.path for candidate in loose}
        sizes = Counter(candidate.size_bytes for candidate in loose)
        stored = [e for e in self._entries if e.state is State.COMPLETE and e.digest]
        sizes.update({entry.size_bytes for entry in stored})
        homeless: dict[str, Entry] = {}
        settled: set[str] = set()
        for entry in stored if loose else ():
            path = entry.path
            lost = path in changed or (path not in found and self._disk.gone(path))
            if lost and entry.id not in self._unheard:
                homeless[_key(entry)] = entry
            else:
                settled.add(_key(entry))
        for candidate in loose:
            before = self._by_path.get(candidate.path)
            if before is not None and before.id in self._unheard:
                self._index(candidate, before.digest, before)
                continue
            content = self._digest(candidate) if sizes[candidate.size_bytes] > 1 else ""
            keys = _keys(content, candidate.mtime_ns)
            moved = next((key for key in keys if key in homeless), "")
            if settled.intersection(keys):
                self._copy(candidate, content, before)
            elif moved and homeless[moved].subtitles == candidate.sidecars.stamp:
                self._rename(candidate, homeless.pop(moved), before)
                settled.add(moved)
            else:
                self._index(candidate, content, before)
                settled |= {content} - {""}

    def retire(self, found: set[str]) -> None:
        """Deal with known videos whose file was not found, and with copies out of sight."""
        self.plan.replaced = [e for e in self.plan.replaced if e.id not in self._moved]
        housed = found | {entry.path for entry in self.plan.renamed}
        for path, copy in self._copies.items():
            if path not in found and not self._disk.gone(path):
                self.plan.copies.append(copy)
        for entry in self._entries:
            path = entry.path
            if entry.id in self._moved or path in housed or not self._disk.gone(path):
                continue
            if self._disk.may_remove(path):
                drop(entry, self.plan)
            elif entry.state is State.COMPLETE:
                self.plan.missing.append(entry)

    def _copy(self, candidate: Candidate, content: str, before: Entry | None) -> None:
        facts = (candidate.size_bytes, candidate.mtime_ns)
        self.plan.copies.append(Copy(candidate.root.path, candidate.rel, *facts, content))
        self._replace(before)

    def _rename(self, candidate: Candidate, entry: Entry, before: Entry | None) -> None:
        self._moved.add(entry.id)
        facts = (candidate.size_bytes, candidate.mtime_ns)
        self.plan.renamed.append(_at(entry, candidate.root.path, candidate.rel, *facts))
        self._replace(before)

    def _index(self, candidate: Candidate, content: str, before: Entry | None) -> None:
        waits = before is not None and before.state is not State.COMPLETE
        fresh = Entry(
            id=before.id if before is not None and waits else 0,
            root=candidate.root.path,
            rel=candidate.rel,
            size_bytes=candidate.size_bytes,
            mtime_ns=candidate.mtime_ns,
            digest=content,
            subtitles=candidate.sidecars.stamp,
        )
        self.plan.jobs.append(Job(candidate, fresh))
        self._replace(None if waits else before)

    def _replace(self, before: Entry | None) -> None:
        if before is not None:
            self.plan.replaced.append(before)

    def _digest(self, candidate: Candidate) -> str:
        copy = self._copies.get(candidate.path)
        facts = (candidate.size_bytes, candidate.mtime_ns)
        if copy is not None and facts == (copy.size_bytes, copy.mtime_ns):
            return copy.digest
        if candidate.path not in self._digests:
            self._digests[candidate.path] = self._disk.digest(candidate.path)
        return self._digests[candidate.path]
