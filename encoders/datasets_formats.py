"""The annotation files of retrieval data sets: what each says of its videos.

Every reader turns one layout, as the data set's users have it, into captions by video name; a
file that is not as it should be is told in one line. Nothing here is unpickled. It must not know
where the videos are, or what is decoded of them.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Literal, TypeAlias

from unify.engine.errors import UsageError

Captions: TypeAlias = dict[str, tuple[str, ...]]
"""A video's name to its captions, in the order of the file."""

MSRVTT_SENTENCES = "MSRVTT_data.json"
MSRVTT_SPLITS = {
    "1k-A": "MSRVTT_JSFUSION_test.csv",
    "train-9k": "MSRVTT_train.9k.csv",
    "train-7k": "MSRVTT_train.7k.csv",
}
DIDEMO_SPLITS = {split: f"{split}_data.json" for split in ("test", "val", "train")}
MSVD_SPLITS = {split: f"{split}_list.txt" for split in ("test", "val", "train")}
MSVD_DESCRIPTIONS = "AllVideoDescriptions.txt"


def read_stills(path: Path) -> dict[str, tuple[tuple[str, ...], tuple[str, ...]]]:
    """Read the `captions.json` of an archive of stills.

    Either `{name: {"frames": [file, ...], "captions": [caption, ...]}}`, stills in time order,
    or `{file: [caption, ...]}` where every item is one picture.

    Returns:
        Name to (stills, captions).

    Raises:
        UsageError: the file is not so.
    """
    rows = {}
    for name, row in _object(path).items():
        stills, captions = (
            (row.get("frames"), row.get("captions")) if isinstance(row, dict) else ([name], row)
        )
        rows[name] = _texts(stills, path, name, "frames"), _texts(captions, path, name, "captions")
    return rows


def read_msrvtt(folder: Path, split: str) -> Captions:
    """Read MSR-VTT as CLIP4Clip's `msrvtt_data.zip` has it.

    `MSRVTT_JSFUSION_test.csv` (`key,vid_key,video_id,sentence`) holds the 1,000 pairs of 1k-A;
    `MSRVTT_train.9k.csv` and `.7k.csv` (`video_id`) name videos whose 20 captions stand in
    `MSRVTT_data.json` (`{"sentences": [{"video_id", "caption", ...}], "videos": [...]}`).
    https://github.com/ArrowLuo/CLIP4Clip (dataloaders/dataloader_msrvtt_retrieval.py)

    Raises:
        UsageError: a file is missing or not so.
    """
    table = folder / MSRVTT_SPLITS[split]
    if split == "1k-A":
        return _grouped(_table(table, ("video_id", "sentence")), table)
    names = [name for (name,) in _table(table, ("video_id",))]
    path = folder / MSRVTT_SENTENCES
    sentences = _object(path).get("sentences")
    return _only(names, _grouped(_fields(sentences, ("video_id", "caption"), path), path), table)


def read_didemo(folder: Path, split: str) -> Captions:
    """Read DiDeMo for paragraph-to-video retrieval: one caption a video, all sentences joined.

    `{split}_data.json` is `[{"video", "description", "times", ...}]`; sentences are joined by a
    space in the order of the file, as CLIP4Clip does, and the moments (`times`) are not used.
    The list files that some copies have beside it are not read.
    https://github.com/LisaAnne/LocalizingMoments (README.md, "Annotations"),
    https://github.com/ArrowLuo/CLIP4Clip (dataloaders/dataloader_didemo_retrieval.py)

    Raises:
        UsageError: the file is missing or not so.
    """
    path = folder / DIDEMO_SPLITS[split]
    rows = _fields(_json(path), ("video", "description"), path)
    return {name: (" ".join(said),) for name, said in _grouped(rows, path).items()}


def read_msvd(path: Path, split: str) -> Captions:
    """Read MSVD: a split's list of names, and the captions of all.

    Captions come from `captions.json` (`{name: [caption, ...]}`) or from the original
    `AllVideoDescriptions.txt` (`name sentence` a line, `#` begins a comment); the lists
    `{train,val,test}_list.txt` (a name a line) stand beside it.
    https://www.cs.utexas.edu/~ml/clamp/videoDescription/,
    https://github.com/ArrowLuo/CLIP4Clip (dataloaders/dataloader_msvd_retrieval.py)

    Args:
        path: the file of captions.
        split: which list.

    Raises:
        UsageError: a file is missing or not so.
    """
    table = path.parent / MSVD_SPLITS[split]
    names = [line.strip() for line in _lines(table) if line.strip()]
    if path.suffix == ".json":
        captions = {n: _texts(row, path, n, "captions") for n, row in _object(path).items()}
    else:
        spoken = (line for line in _lines(path) if line.strip() and not line.startswith("#"))
        captions = _grouped(_described(spoken, path), path)
    return _only(names, captions, table)


def read_tsv(path: Path) -> Captions:
    """Read `captions.tsv`: a header with `file` and `caption` among its columns, no quoting.

    A file that stands in several rows has several captions.

    Raises:
        UsageError: the file is not so.
    """
    return _grouped(_table(path, ("file", "caption"), tabs=True), path)


def _described(lines: Iterable[str], path: Path) -> Iterator[tuple[str, str]]:
    for line in lines:
        name, *sentence = line.split(maxsplit=1)
        if not sentence:
            raise UsageError(f"{path}: {line.strip()!r} is a name without a sentence", "check it")
        yield name, sentence[0].strip()


def _grouped(rows: Iterable[tuple[str, ...]], path: Path) -> Captions:
    """Collect (name, caption) rows; rows without words are left out."""
    found: dict[str, list[str]] = {}
    for name, caption in rows:
        if caption.strip():
            found.setdefault(name, []).append(caption)
    if not found:
        raise UsageError(f"{path} holds no captions", "check that it is the right file")
    return {name: tuple(captions) for name, captions in found.items()}


def _only(names: list[str], captions: Captions, table: Path) -> Captions:
    """Keep the videos of a split, each of which must have captions."""
    without = [name for name in names if name not in captions]
    if without or not names:
        what = f"{len(without)} videos without captions ({without[0]})" if without else "no videos"
        raise UsageError(f"{table} names {what}", "check that the files belong together")
    return {name: captions[name] for name in names}


def _fields(rows: Any, keys: tuple[str, ...], path: Path) -> Iterator[tuple[str, ...]]:
    """Yield some fields of a list of objects."""
    if not isinstance(rows, list):
        raise UsageError(f"{path} holds no list of objects", f"each needs {', '.join(keys)}")
    for number, row in enumerate(rows):
        found = row if isinstance(row, dict) else {}
        values = tuple(found[key] for key in keys if isinstance(found.get(key), str))
        if len(values) < len(keys):
            raise UsageError(
                f"{path}: entry {number} lacks one of {', '.join(keys)}", "each must be a text"
            )
        yield values


def _table(path: Path, columns: tuple[str, ...], tabs: bool = False) -> Iterator[tuple[str, ...]]:
    """Yield some columns of a table with a header: commas and quotes, or bare tabs."""
    quoting: Literal[0, 3] = csv.QUOTE_NONE if tabs else csv.QUOTE_MINIMAL
    rows = csv.DictReader(_lines(path), delimiter="\t" if tabs else ",", quoting=quoting)
    try:
        missing = [column for column in columns if column not in (rows.fieldnames or ())]
        if missing:
            raise UsageError(
                f"{path} has no column {missing[0]!r}",
                f"its first line must name {', '.join(columns)}",
            )
        for row in rows:
            values = tuple(row[column] for column in columns)
            if None in values:
                raise UsageError(f"{path}, line {rows.line_num}: columns are missing", "add them")
            yield values
    except csv.Error as error:
        raise UsageError(f"{path}, line {rows.line_num}: {error}", "check the table") from None


def _texts(value: Any, path: Path, name: str, what: str) -> tuple[str, ...]:
    """Check that a value is a list of texts, one of them with words."""
    if isinstance(value, list) and all(isinstance(text, str) for text in value):
        texts = tuple(text for text in value if text.strip())
        if texts:
            return texts
    raise UsageError(f"{path}: {name!r} has no list of {what}", "it needs one with a text in it")


def _object(path: Path) -> dict[str, Any]:
    content = _json(path)
    if not isinstance(content, dict) or not content:
        raise UsageError(f"{path} is not a JSON object with entries", "check the file")
    return content


def _json(path: Path) -> Any:
    try:
        return json.loads("".join(_lines(path)), object_pairs_hook=_once_each)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path} cannot be read as JSON ({error})", "check the file") from None


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Make an object whose names are unique: of a repeated one, all but the last would be lost."""
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"{next(name for name in names if names.count(name) > 1)!r} stands twice")
    return found


def _lines(path: Path) -> list[str]:
    """Return a text file's lines with their ends; a byte order mark is not part of it."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            return file.readlines()
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}", "the data set needs this file") from None
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} is not text in UTF-8 ({error.reason})", "convert it") from None
