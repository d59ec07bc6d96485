from __future__ import annotations

import copy
import importlib.util
import os
import platform
import shutil
import signal
from collections import Counter
from contextlib import closing, contextmanager, suppress
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.indexer.building import NumberEncoder, contents, run_build, settings_for
from tests.indexer.media import make_video
from tests.reliability.scenes import substance
from unify.encoders.library import BuildOptions, build_index
from unify.engine.errors import IncompatibleIndex, IndexUnavailable, MissingPackage, UsageError
from unify.indexer import build as building
from unify.indexer import cluster, fleet
from unify.indexer.compaction import compact
from unify.indexer.encode import OutOfReach
from unify.indexer.fleet import Actor, Fleet
from unify.indexer.progress import VideoFinished

ROOT = Path(__file__).resolve().parents[2]
HAS_RAY = importlib.util.find_spec("ray") is not None
needs_ray = pytest.mark.skipif(not HAS_RAY, reason="ray is not installed: pip install 'ray[data]'")
SETTINGS = settings_for(NumberEncoder())


class Deadly(NumberEncoder):
    """Ends its process at a frame of the video 03.mp4."""

    def encode_frames(self, frames):
        rows = super().encode_frames(frames)
        if (rows == 125.0).any():
            os.kill(os.getpid(), signal.SIGKILL)
        return rows


def open_told(folder: Path, pause_s: float) -> NumberEncoder:
    """Open a pack, and tell which process has."""
    (folder / str(os.getpid())).touch()
    return Deadly(pause_s=pause_s)


def make_clips(folder: Path, count: int) -> Path:
    """Videos, a copy, a broken one, and one with subtitles."""
    folder.mkdir()
    for number in range(count):
        make_video(folder / f"{number:02}.mp4", range(40 * number, 40 * number + 30))
    shutil.copy(folder / "00.mp4", folder / "copy.mp4")
    (folder / "broken.mp4").write_bytes(b"nothing")
    (folder / "01.srt").write_text("1\n00:00:00,000 --> 00:00:01,000\nn5 and n7\n", "utf-8")
    return folder


class Played:
    """Workers that answer by the book, but for what a subclass changes."""

    def work(self, jobs, folder, watch):
        actor = Actor(NumberEncoder, SETTINGS, fleet.unify_version())
        with closing(actor._process):
            for number in self.order(len(jobs)):
                yield jobs[number], actor({"number": number, "job": jobs[number]})["result"]

    def order(self, count):
        return range(count)


class Twice(Played):
    def order(self, count):
        return [*reversed(range(count)), *range(count)]


class Lossy(Played):
    def order(self, count):
        return range(count - 2)


@contextmanager
def one_actor(address):
    """A cluster that is this process."""

    class Ray:
        @staticmethod
        def cluster_resources():
            return {"CPU": 1.0}

        @staticmethod
        def get_runtime_context():
            return SimpleNamespace(gcs_address="far:6379")

    yield Ray


class Rows(list):
    def iter_rows(self):
        return iter(self)


def answers(monkeypatch, result):
    """Let a fleet's only answer be this, or an actor's."""
    monkeypatch.setattr(fleet, "require_ray", lambda: None)
    monkeypatch.setattr(fleet, "connected", one_actor)
    monkeypatch.setattr(fleet, "knock", lambda address: None)

    def dataset(far, jobs, *_):
        if isinstance(result, Actor):
            return Rows([result({"number": 0, "job": jobs[0]})])
        return Rows([{"number": 0, "result": result, "machine": "far"}])

    monkeypatch.setattr(Fleet, "_dataset", dataset)
    return Fleet("far", NumberEncoder, SETTINGS)


@pytest.mark.parametrize("workers", [Played(), Twice()])
def test_other_workers_make_the_same_index(tmp_path, monkeypatch, workers):
    monkeypatch.setattr(building, "_PUBLISH_MOMENTS", 1)
    clips = make_clips(tmp_path / "clips", 4)
    report = run_build([clips], tmp_path / "far", fleet=workers)
    here = run_build([clips], tmp_path / "here")
    assert (report.indexed, report.duplicates) == (here.indexed, here.duplicates)
    assert report.failed == here.failed
    for index in (tmp_path / "far", tmp_path / "here"):
        compact(index)
    assert substance(tmp_path / "far") == substance(tmp_path / "here")


def test_videos_without_an_answer_are_told_and_stay_pending(tmp_path):
    clips = make_clips(tmp_path / "clips", 4)
    with pytest.raises(IndexUnavailable, match=r"2 of 5 videos, such as .*\.mp4; run again"):
        run_build([clips], tmp_path / "index", fleet=Lossy())
    assert len(contents(tmp_path / "index")) == 3
    assert run_build([clips], tmp_path / "index").indexed == 1
    assert len(contents(tmp_path / "index")) == 4


def told_by(*arguments):
    """What an actor answers to a job that it cannot do."""
    actor = Actor(*arguments)
    with closing(actor._process):
        return actor({"number": 3, "job": None})["result"]


def test_an_actor_with_another_pack_says_so_with_every_video():
    fault = told_by(partial(NumberEncoder, "a" * 64), SETTINGS, fleet.unify_version())
    assert isinstance(fault, IncompatibleIndex)
    assert "aaaa" in str(fault) and "ffff" in str(fault)
    assert platform.node() in str(copy.deepcopy(fault))  # as Ray carries it


def test_an_actor_of_another_unify_says_so_with_every_video():
    fault = told_by(NumberEncoder, SETTINGS, "0.0.9")
    assert isinstance(fault, IncompatibleIndex)
    assert f"it has unify {fleet.unify_version()}, not 0.0.9; install the same" in str(fault)


def test_a_machine_without_the_decoder_is_no_fault_of_the_videos(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    settings = settings_for(NumberEncoder(), decoder="decord")
    fault = told_by(NumberEncoder, settings, fleet.unify_version())
    assert isinstance(fault, MissingPackage)


def test_what_an_encoder_raises_names_the_machine_and_the_video(tmp_path, monkeypatch):
    def fail(encoder, frames):
        raise RuntimeError("no room in layer 3")

    monkeypatch.setattr(NumberEncoder, "encode_frames", fail)
    clips = make_clips(tmp_path / "clips", 1)
    actor = Actor(NumberEncoder, SETTINGS, fleet.unify_version())
    with closing(actor._process), pytest.raises(
        IndexUnavailable, match=r"00\.mp4 \(RuntimeError: no room in layer 3\)"
    ):  # fmt: skip
        far = answers(monkeypatch, actor)
        run_build([clips], tmp_path / "index", fleet=far)


def test_another_pack_ends_the_build(tmp_path, monkeypatch):
    clips = make_clips(tmp_path / "clips", 1)
    far = answers(monkeypatch, IncompatibleIndex("far has another pack", "install it"))
    with pytest.raises(IncompatibleIndex, match="far has another pack; install it"):
        run_build([clips], tmp_path / "index", fleet=far)


def test_a_machine_that_does_not_see_the_videos_is_no_fault_of_theirs(tmp_path, monkeypatch):
    clips = make_clips(tmp_path / "clips", 1)
    far = answers(monkeypatch, OutOfReach("cannot be read (No such file or directory)"))
    with pytest.raises(UsageError, match=r"far .*00\.mp4 cannot be read .* same path on every"):
        run_build([clips], tmp_path / "index", fleet=far)
    assert run_build([clips], tmp_path / "index").indexed == 1


def test_a_file_that_has_vanished_everywhere_has_failed(tmp_path, monkeypatch):
    clips = tmp_path / "clips"
    clips.mkdir()
    make_video(clips / "a.mp4", 3)
    far = answers(monkeypatch, OutOfReach("cannot be read (No such file or directory)"))
    monkeypatch.setattr(fleet, "_readable", lambda path: False)
    (failed,) = run_build([clips], tmp_path / "index", fleet=far).failed
    assert failed[1] == "cannot be read (No such file or directory)"


@pytest.mark.parametrize(
    ("have", "gpu", "asked", "count", "on_gpu"),
    [
        ({"CPU": 8.0, "GPU": 2.0}, True, None, 2, 1),
        ({"CPU": 8.0, "GPU": 2.0}, False, None, 8, 0),
        ({"CPU": 8.0}, True, None, 8, 0),
        ({"CPU": 8.0}, False, 3, 3, 0),
        ({"CPU": 2.0}, False, 3, 2, 0),
    ],
)
def test_actors_follow_the_machines(monkeypatch, have, gpu, asked, count, on_gpu):
    monkeypatch.setattr(fleet, "require_ray", lambda: None)
    actors, each = Fleet("local", NumberEncoder, SETTINGS, gpu, asked)._actors(have)
    assert (actors, each) == (count, {"num_cpus": 1, "num_gpus": on_gpu})


def test_without_ray_it_says_how_to_get_it(tmp_path, monkeypatch):
    make_video(tmp_path / "a.mp4", 3)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MissingPackage, match=r"pip install 'unify-search\[ray\]'"):
        build_index([tmp_path], tmp_path / "index", BuildOptions(ray="local"))
    assert not (tmp_path / "index").exists()


def test_the_client_of_ray_is_refused(monkeypatch):
    monkeypatch.setattr(fleet, "require_ray", lambda: None)
    with pytest.raises(UsageError, match="build on a machine of the cluster"):
        Fleet("ray://far:10001", NumberEncoder, SETTINGS)


def test_a_cluster_without_a_processor_is_told(monkeypatch):
    monkeypatch.setattr(fleet, "require_ray", lambda: None)
    with pytest.raises(UsageError, match="'far' has no CPU"):
        Fleet("far", NumberEncoder, SETTINGS)._actors({"memory": 1.0})


def test_a_bound_on_memory_is_for_this_machine(tmp_path):
    make_video(tmp_path / "a.mp4", 3)
    options = BuildOptions(ray="local", max_memory_bytes=1 << 30)
    with pytest.raises(UsageError, match="--max-memory"):
        build_index([tmp_path], tmp_path / "index", options)


def started(start):
    """Start a part of a cluster; Ray waits 30 s for it, which a busy machine may not grant."""
    try:
        return start()
    except Exception as error:
        if "timed out during startup" not in str(error):
            raise
        pytest.skip(f"Ray did not start: {error}")


@contextmanager
def two_machines(monkeypatch):
    """A Ray cluster of two, and the second of them; what it starts finds this checkout."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    for name, value in cluster.SETTINGS_OF_RAY.items():
        monkeypatch.setenv(name, value)
    from ray.cluster_utils import Cluster

    checks = {"period_ms": 1000, "timeout_ms": 5000, "failure_threshold": 3}
    config = {f"health_check_{name}": value for name, value in checks.items()}
    head = {"num_cpus": 1, "include_dashboard": False, "_system_config": config}
    machines = started(lambda: Cluster(initialize_head=True, head_node_args=head))
    try:
        yield machines, started(lambda: machines.add_node(num_cpus=1))
    finally:
        machines.shutdown()


def lose_workers(tmp_path, monkeypatch, count: int, losses: dict[int, str]) -> None:
    """Build on two machines, lose workers after so many videos, and compare with one machine.

    One video ends every actor that takes it up: its block is given up, and left to the next build.
    """
    block = max(1, min(fleet._BLOCK_VIDEOS, count // (2 * fleet._BLOCKS_EACH)))
    monkeypatch.setattr(building, "_PUBLISH_MOMENTS", 1)
    clips, pids = make_clips(tmp_path / "clips", count), tmp_path / "pids"
    pids.mkdir()
    finished: Counter[str] = Counter()
    with two_machines(monkeypatch) as (machines, second):

        def progress(event):
            if isinstance(event, VideoFinished):
                finished[event.path] += 1
                match losses.get(finished.total()):
                    case "actor":
                        for pid in pids.iterdir():
                            with suppress(ProcessLookupError):
                                os.kill(int(pid.name), signal.SIGKILL)
                    case "machine":
                        machines.remove_node(second, allow_graceful=False)

        far = Fleet(machines.address, partial(open_told, pids, 0.05), SETTINGS)
        with pytest.raises(IndexUnavailable, match=rf" {block} of {count + 1} videos, such as "):
            run_build([clips], tmp_path / "far", progress=progress, fleet=far)
    assert len(list(pids.iterdir())) > 2, "no actor had to be started again"
    assert len(finished) == count - block
    report = run_build([clips], tmp_path / "far", progress=progress)
    assert set(finished.values()) == {1} and len(finished) == count
    here = run_build([clips], tmp_path / "here")
    assert (report.failed, report.duplicates) == (here.failed, here.duplicates)
    for index in (tmp_path / "far", tmp_path / "here"):
        compact(index)
    assert substance(tmp_path / "far") == substance(tmp_path / "here")


@needs_ray
@pytest.mark.filterwarnings("ignore")  # of Ray's own making
def test_workers_are_lost_and_every_video_is_indexed_once(tmp_path, monkeypatch):
    lose_workers(tmp_path, monkeypatch, 12, {2: "actor", 5: "machine"})


@needs_ray
@pytest.mark.soak
@pytest.mark.filterwarnings("ignore")
def test_workers_are_lost_again_and_again(tmp_path, monkeypatch):
    losses = dict.fromkeys(range(4, 90, 12), "actor") | {50: "machine"}
    lose_workers(tmp_path, monkeypatch, 99, losses)
