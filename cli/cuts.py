"""Where cuts go, what is noted about them, and that no file is lost over them."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from unify.cli import files
from unify.cli.lasthits import LastSearch
from unify.cli.render import clock, printable
from unify.engine.errors import MediaError, UsageError

SCHEMA = 1


@dataclass(frozen=True, slots=True)
class CutJob:
    """A hit and the file that it goes into."""

    hit: dict[str, Any]
    out: Path
    mode: str

    @property
    def manifest(self) -> Path:
        """The file beside it."""
        return self.out.with_name(self.out.name + ".json")


def plan(
    hits: Sequence[dict[str, Any]], out: Path | None, exact: bool, force: bool
) -> list[CutJob]:
    """Decide the files, and see before anything is written that none is lost.

    Raises:
        UsageError: a file exists, or several hits would go into one file.
    """
    into = out if out is not None and _is_folder(out) else None
    if out is not None and into is None and len(hits) > 1:
        raise UsageError(
            f"{out} is one file and these are {len(hits)} hits", "name a folder: --out FOLDER/"
        )
    jobs = []
    for hit in hits:
        named = name_of(hit["path"], hit["start_s"], hit["end_s"], exact)
        name = named if out is None or into is not None else out.name
        folder = into or (out.parent if out is not None else Path())
        jobs.append(CutJob(hit, folder / name, "exact" if exact else "fast"))
    for job in jobs:
        _require_free(job, force)
    return jobs


def _is_folder(out: Path) -> bool:
    return out.is_dir() or not out.suffix


def name_of(path: str, start_s: float, end_s: float, exact: bool) -> str:
    """Return what a cut of a video is called; it keeps the container where it can.

    >>> name_of("a/Trip.AVI", 0, 7, True), name_of("a/Trip.AVI", 0, 7, False)
    ('Trip_0m00s-0m07s.mp4', 'Trip_0m00s-0m07s.avi')
    """
    source = Path(path)
    suffix = source.suffix.lower()
    if exact:
        suffix = suffix if suffix in (".mp4", ".mkv", ".mov", ".webm") else ".mp4"
    return f"{source.stem}_{_stamp(start_s)}-{_stamp(end_s)}{suffix}"


def _stamp(seconds: float) -> str:
    """Return a time as it may stand in a file name.

    >>> _stamp(75.04), _stamp(12.5), _stamp(3725)
    ('1m15s', '0m12.5s', '1h02m05s')
    """
    tenths = round(seconds * 10)
    hours, rest = divmod(tenths, 36_000)
    minutes, rest = divmod(rest, 600)
    text = f"{rest // 10:02d}" + (f".{rest % 10}" if rest % 10 else "")
    return (f"{hours}h{minutes:02d}m" if hours else f"{minutes}m") + text + "s"


def _require_free(job: CutJob, force: bool) -> None:
    with suppress(OSError):
        if job.out.samefile(job.hit["path"]):
            raise UsageError(f"{job.out} is the source itself", "choose another --out")
    for path in (job.out, job.manifest):
        files.require_free(path, force)


def run(jobs: Sequence[CutJob], last: LastSearch) -> Iterator[tuple[CutJob, dict[str, Any] | str]]:
    """Cut, and yield each job with its manifest, or with what is wrong with its source.

    A file has its name only when it is whole.
    """
    from unify.indexer.jobs import JobProcess

    with JobProcess() as process:
        for job in jobs:
            job.out.parent.mkdir(parents=True, exist_ok=True)
            partial = job.out.with_name(f".{job.out.stem}.{os.getpid()}.part{job.out.suffix}")
            try:
                yield job, _cut(job, partial, last, process)
            except MediaError as error:
                yield job, str(error)
            finally:
                with suppress(OSError):
                    partial.unlink()


def _cut(job: CutJob, partial: Path, last: LastSearch, process: Any) -> dict[str, Any]:
    from unify.indexer.cut import CutMode, CutRequest

    hit = job.hit
    mode = CutMode(job.mode)
    digest = _sha256(hit["path"])
    got = process.cut(
        CutRequest(hit["path"], hit["start_s"], hit["end_s"], mode, str(partial.absolute()))
    )
    manifest = {
        "schema": SCHEMA,
        "file": job.out.name,
        "size_bytes": partial.stat().st_size,
        "source": {
            "video": hit["video"],
            "path": hit["path"],
            "size_bytes": Path(hit["path"]).stat().st_size,
            "sha256": digest,
        },
        "mode": job.mode,
        "asked": {"start_s": hit["start_s"], "end_s": hit["end_s"]},
        "got": asdict(got),
        "query": last.query,
        "hit": {key: hit[key] for key in hit if key not in ("query_id", "video", "path")},
        "pack": last.pack,
        "versions": {"unify": _unify_version(), "av": version("av")},
    }
    job.manifest.write_text(json.dumps(manifest, indent=1) + "\n", "ascii")
    partial.replace(job.out)
    return manifest


@cache
def _sha256(path: str) -> str:
    from unify.engine.durable import sha256_of

    try:
        return sha256_of(Path(path))
    except OSError as error:
        raise MediaError(f"cannot be read ({error.strerror})") from None


def _unify_version() -> str:
    from unify import __version__

    return __version__


def described(manifest: dict[str, Any]) -> str:
    """Return one line about a cut."""
    got, asked = manifest["got"], manifest["asked"]
    span = f"{clock(got['start_s'], True)}–{clock(got['end_s'], True)}"
    parts = [
        f"{span} of {printable(manifest['source']['video'])}",
        "with sound" if got["sound"] else "no sound in it",
    ]
    early_s = asked["start_s"] - got["start_s"]
    if early_s > 0.05:
        parts.append(f"begins {early_s:.1f} s before the moment")
    late_s = asked["end_s"] - got["end_s"]
    if late_s > 0.5:
        parts.append(f"ends {late_s:.1f} s too soon")
    if got["damage"]:
        parts.append(f"damaged: {got['damage']}")
    if got["left_out"]:
        parts.append(f"left out: {', '.join(got['left_out'])}")
    return ", ".join(parts)
