"""A build, an update and a compaction, each failing at every step that it does on the disk."""

from __future__ import annotations

import io
import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.reliability import faults, scenes
from tests.reliability.faults import Disk, Fault, Killed
from unify.engine.errors import IndexUnavailable, NoIndex
from unify.engine.verify import verify
from unify.indexer.agreement import disagreements

MAKERS = {
    "first": scenes.first,
    "update": scenes.update,
    "compaction": scenes.compaction,
    "renumbering": scenes.renumbering,
}


class Proof:
    """One scene, what it must come to, and how many steps it takes."""

    def __init__(self, name: str, folder: Path, patch: pytest.MonkeyPatch) -> None:
        scenes.hasten(patch)
        self._patch = patch
        self.scene = MAKERS[name](folder)
        self.index = folder / "index"
        disk = self.run(None, 0)
        self.steps = disk.steps
        self.goal = self.scene.finish(self.index)
        assert len(self.goal["segments"]) == 1
        assert self.goal["counts"][1] == 0

    def run(self, fault: Fault | None, at: int, before: Disk | None = None) -> Disk:
        """Do the scene's act on a disk with a fault, afresh or after another that was killed."""
        if before is None:
            self.scene.start(self.index)
        disk = Disk(self.index, fault, at, before and before.platter)
        with self._patch.context() as patch:
            disk.install(patch)
            try:
                self.scene.act(self.index)
            except IndexUnavailable as error:
                assert error.exit_code == 3
                assert str(self.index) in str(error)
                assert "\n" not in str(error)
            except Killed:
                pass
        if fault is Fault.POWER:
            disk.platter.restore()
        return disk

    def check(self, fault: Fault, at: int, before: Disk | None = None) -> None:
        """See that nothing is lost or doubled by a fault."""
        disk = self.run(fault, at, before)
        where = f"{fault} at {at}, {disk.steps[:at][-1]}"
        assert disk.hit or before is not None, where
        try:
            assert verify(self.index) + disagreements(self.index) == [], where
        except NoIndex:
            assert not self.scene.before.exists(), where
        assert self.scene.finish(self.index) == self.goal, where


@pytest.fixture(params=MAKERS)
def proof(request, quick_path, monkeypatch) -> Iterator[Proof]:
    yield Proof(request.param, quick_path, monkeypatch)


def test_some_faults_lose_and_double_nothing(proof):
    kinds = Counter(step.split()[0] for step in proof.steps)
    assert {"create", "write", "sync", "mkdir", "rename", "remove", "sql"} - kinds.keys() <= {"sql"}
    assert kinds["sync"] > kinds["create"]  # every file, and the folders
    rng = random.Random(0)
    for fault in Fault:
        for at in rng.sample(range(1, len(proof.steps) + 1), 2):
            proof.check(fault, at)


@pytest.mark.soak
@pytest.mark.parametrize("fault", Fault)
def test_a_fault_at_any_step_loses_and_doubles_nothing(proof, fault):
    for at in range(1, len(proof.steps) + 1):
        proof.check(fault, at)
    print(f"{len(proof.steps)} steps, {fault}")  # noqa: T201


def test_short_writes_are_gone_on_with(proof, monkeypatch):
    """The kernel may write less than it is given, without any error."""

    def write_some(self: io.FileIO, data: memoryview) -> int:
        return io.FileIO.write(self, memoryview(data).cast("B")[:1000])

    monkeypatch.setattr(faults._Raw, "write", write_some)
    proof.run(None, 0)
    assert proof.scene.finish(proof.index) == proof.goal


def test_power_that_fails_soon_after_a_kill(proof):
    """A killed writer's manifest may be seen and not yet durable: the old one is still needed."""
    swaps = [n for n, step in enumerate(proof.steps, 1) if step == "rename manifest.json"]
    for soon in range(1, 9):
        proof.check(Fault.POWER, soon, proof.run(Fault.KILLED, swaps[-1] + 1))
