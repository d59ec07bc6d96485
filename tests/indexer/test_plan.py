from __future__ import annotations

from dataclasses import dataclass, field, replace

import pytest

from unify.engine.manifest import Root
from unify.indexer.discover import Candidate
from unify.indexer.entries import Copy, Entry, State
from unify.indexer.plan import Disk, Plan, make_plan

ROOT = Root("r", "/r")


@dataclass
class World:
    """Files (path to content and time of writing) and what the journal knows."""

    files: dict[str, tuple[str, int]]
    entries: list[Entry] = field(default_factory=list)
    copies: list[Copy] = field(default_factory=list)
    removable: bool = True
    hashed: list[str] = field(default_factory=list)

    def digest(self, path: str) -> str:
        self.hashed.append(path)
        return f"#{self.files[path.removeprefix('/r/')][0]}"

    def plan(self, *, seen: str | None = None, retry_failed: bool = False) -> Plan:
        """Plan a build that sees all files, or those whose names are in `seen`."""
        candidates = [
            Candidate(ROOT, name, len(content), mtime)
            for name, (content, mtime) in sorted(self.files.items())
            if seen is None or name in seen.split()
        ]
        disk = Disk(
            self.digest,
            lambda path: path.removeprefix("/r/") not in self.files,
            lambda path: self.removable,
        )
        return make_plan(candidates, self.entries, self.copies, disk, retry_failed)


def known(id_: int, name: str, content: str, mtime: int = 1, state=State.COMPLETE) -> Entry:
    return Entry(id_, "/r", name, len(content), mtime, f"#{content}", state)


def jobs(plan: Plan) -> list[str]:
    return [job.candidate.rel for job in plan.jobs]


def test_new_files_are_indexed_and_hashed_only_when_sizes_agree():
    world = World({"a": ("x", 1), "b": ("yy", 1), "c": ("zz", 1)})
    plan = world.plan()
    assert jobs(plan) == ["a", "b", "c"]
    assert world.hashed == ["/r/b", "/r/c"]
    assert [job.entry.digest for job in plan.jobs] == ["", "#yy", "#zz"]


def test_unchanged_files_are_skipped_without_a_look_inside():
    world = World({"a": ("x", 1)}, [known(1, "a", "x")])
    plan = world.plan()
    assert (plan.skipped, world.hashed) == (1, [])
    assert plan == Plan(skipped=1)


def test_touched_files_are_skipped_after_a_look_inside():
    plan = World({"a": ("x", 2)}, [known(1, "a", "x")]).plan()
    assert plan.skipped == 1
    assert [(entry.id, entry.mtime_ns) for entry in plan.touched] == [(1, 2)]


def test_a_time_of_recording_that_was_the_time_of_writing_stays_that():
    entry = replace(known(1, "a", "x"), recorded=1 / 1e9)
    dated = replace(entry, recorded=5.0)
    for old, new in ((entry, 7 / 1e9), (dated, 5.0)):
        touched = World({"a": ("x", 7)}, [old]).plan().touched
        renamed = World({"b": ("x", 7)}, [old]).plan().renamed
        copied = World({"c": ("x", 7)}, [old], [Copy("/r", "c", 1, 7, "#x")]).plan(seen="")
        assert [e.recorded for e in (*touched, *renamed, *copied.renamed)] == [new] * 3


def test_a_large_damaged_file_is_itself_only_while_its_time_of_writing_stands(monkeypatch):
    monkeypatch.setattr("unify.indexer.plan.WHOLE_BYTES", 3)  # of larger ones, parts are hashed
    entry = replace(known(1, "a", "holes"), note="1 damaged packet")
    filled = World({"a": ("holes", 2)}, [entry]).plan()
    assert (jobs(filled), [e.id for e in filled.replaced]) == (["a"], [1])
    moved = World({"b": ("holes", 1)}, [entry]).plan()
    assert [(e.id, e.rel) for e in moved.renamed] == [(1, "b")]
    mended = World({"b": ("holes", 2)}, [entry]).plan()
    assert (jobs(mended), [e.id for e in mended.removed]) == (["b"], [1])
    beside = World({"a": ("holes", 1), "b": ("holes", 2), "c": ("holes", 1)}, [entry]).plan()
    assert (jobs(beside), [copy.rel for copy in beside.copies]) == (["b"], ["c"])
    lost = World({"c": ("holes", 2)}, [entry], [Copy("/r", "c", 5, 2, "#holes")]).plan(seen="")
    assert ([e.id for e in lost.removed], lost.renamed) == ([1], [])
    read = "subtitles clip.srt: lines cut at 500 characters: 1"
    for sound in (
        replace(entry, note=""),
        replace(entry, note=read),
        replace(known(1, "a", "one"), note="a packet"),
    ):
        content = sound.digest.removeprefix("#")
        assert World({"a": (content, 2)}, [sound]).plan().skipped == 1


def test_changed_content_is_another_video():
    plan = World({"a": ("y", 2)}, [known(1, "a", "x")]).plan()
    assert jobs(plan) == ["a"]
    assert plan.jobs[0].entry.id == 0
    assert [entry.id for entry in plan.replaced] == [1]


def test_a_rename_keeps_the_video():
    plan = World({"b": ("x", 5)}, [known(1, "a", "x")]).plan()
    assert [(e.id, e.rel, e.mtime_ns) for e in plan.renamed] == [(1, "b", 5)]
    assert jobs(plan) == []
    assert plan.removed == plan.missing == []


def test_a_rename_out_of_a_folder_that_is_not_looked_at():
    world = World({"b": ("x", 5)}, [known(1, "a", "x")], removable=False)
    assert [e.id for e in world.plan().renamed] == [1]


def test_two_files_that_swap_names_keep_both_videos():
    entries = [known(1, "a", "x"), known(2, "b", "y")]
    plan = World({"a": ("y", 2), "b": ("x", 2)}, entries).plan()
    assert sorted((e.id, e.rel) for e in plan.renamed) == [(1, "b"), (2, "a")]
    assert jobs(plan) == []
    assert plan.replaced == plan.removed == []


def test_a_video_moved_over_another_one():
    entries = [known(1, "a", "x"), known(2, "b", "y")]
    plan = World({"b": ("x", 2)}, entries).plan()
    assert [(e.id, e.rel) for e in plan.renamed] == [(1, "b")]
    assert [e.id for e in plan.replaced] == [2]
    assert plan.removed == []


def test_copies_are_indexed_once():
    plan = World({"a": ("x", 1), "b": ("x", 2), "c": ("x", 3)}).plan()
    assert jobs(plan) == ["a"]
    assert [copy.rel for copy in plan.copies] == ["b", "c"]


def test_a_copy_of_a_known_video_and_its_later_life():
    world = World({"a": ("x", 1), "b": ("x", 2)}, [known(1, "a", "x")])
    plan = world.plan()
    assert (jobs(plan), [copy.rel for copy in plan.copies]) == ([], ["b"])
    world.copies, world.hashed = plan.copies, []
    assert (world.plan(), world.hashed) == (plan, [])  # unchanged, and not hashed again
    del world.files["a"]
    plan = world.plan()
    assert [(e.id, e.rel) for e in plan.renamed] == [(1, "b")]
    assert plan.copies == []


def test_a_video_that_becomes_a_copy_is_no_longer_one_itself():
    entries = [known(1, "a", "x"), known(2, "b", "y")]
    plan = World({"a": ("x", 1), "b": ("x", 2)}, entries).plan()
    assert [copy.rel for copy in plan.copies] == ["b"]
    assert [e.id for e in plan.replaced] == [2]


def test_a_deleted_video_goes_on_at_a_copy_that_is_not_looked_at():
    world = World(
        {"z": ("x", 3), "y": ("w", 1)},
        [known(1, "a", "x"), known(2, "y", "w")],
        [Copy("/r", "z", 1, 3, "#x")],
    )
    plan = world.plan(seen="y")
    assert [(e.id, e.path, e.mtime_ns) for e in plan.renamed] == [(1, "/r/z", 3)]
    assert (plan.removed, plan.copies) == ([], [])
    world.removable = False
    plan = world.plan(seen="y")
    assert ([e.id for e in plan.missing], plan.renamed, len(plan.copies)) == ([1], [], 1)


def test_copies_out_of_sight_are_remembered_until_they_are_gone():
    copy = Copy("/r", "b", 1, 1, "#x")
    world = World({"a": ("x", 1), "b": ("x", 1)}, [known(1, "a", "x")], [copy])
    assert world.plan(seen="a").copies == [copy]
    del world.files["b"]
    assert world.plan(seen="a").copies == []


@pytest.mark.parametrize("removable", [True, False])
def test_vanished_files(removable):
    entries = [known(1, "a", "x"), known(2, "b", "y", state=State.FAILED)]
    plan = World({}, entries, removable=removable).plan()
    assert [e.id for e in plan.removed] == ([1, 2] if removable else [])
    assert [e.id for e in plan.missing] == ([] if removable else [1])


def test_files_that_are_there_but_not_seen_stay():
    assert World({"a": ("x", 1)}, [known(1, "a", "x")]).plan(seen="") == Plan()


@pytest.mark.parametrize(
    ("mtime", "retry", "again"), [(1, False, False), (1, True, True), (2, False, True)]
)
def test_failed_videos_wait_for_a_change_or_a_word(mtime, retry, again):
    world = World({"a": ("x", mtime)}, [known(1, "a", "x", state=State.FAILED)])
    plan = world.plan(retry_failed=retry)
    assert jobs(plan) == (["a"] if again else [])
    assert [e.id for e in plan.failed] == ([] if again else [1])
    assert [job.entry.id for job in plan.jobs] == ([1] if again else [])
    assert plan.replaced == []


def test_pending_videos_keep_their_id():
    plan = World({"a": ("x", 1)}, [known(1, "a", "x", state=State.PENDING)]).plan()
    assert [job.entry.id for job in plan.jobs] == [1]
    assert [e.id for e in plan.replaced] == []


def test_a_file_that_cannot_be_hashed_is_left_to_the_decoder():
    world = World({"a": ("x", 1), "b": ("x", 1)}, [known(1, "c", "x")])
    world.digest = lambda path: ""
    assert jobs(world.plan()) == ["a", "b"]
