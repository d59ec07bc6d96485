"""Subtitle files and text streams to cues, through FFmpeg (PyAV).

Untrusted bytes meet native code here: the indexer runs it in `indexer/worker.py`. Nothing in it
raises for a bad file: what cannot be read is told, and the video does without. Pictures of text
(as on DVDs) are not text, and closed captions inside the video stream are not looked for.
"""

from __future__ import annotations

import codecs
import html
import io
import re
import stat
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import av
from av.container import InputContainer
from av.error import FFmpegError
from av.packet import Packet
from av.stream import Discard, Stream
from av.subtitles.stream import SubtitleStream
from av.subtitles.subtitle import AssSubtitle

from unify.indexer.container import OPTIONS, reason
from unify.indexer.cues import Cue
from unify.indexer.sidecars import SUBTITLES, is_english

FILE_BYTES = 16 << 20  # a feature film has 0.1 MB
MOST_CUES = 50_000  # a day of talk, a line every two seconds
CUE_CHARACTERS = 500

_FORMATS = {".srt": "srt", ".vtt": "webvtt"}
_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_MARKUP = re.compile(r"\{[^{}]*\}|<[^<>]*>")
_SPACE = re.compile(r"\\[Nnh]")  # of ASS


@dataclass(slots=True)
class Speech:
    """What the subtitles of a video hold.

    Attributes:
        cues: in the order of the files, then of time.
        damage: a line for each thing that could not be read or was cut.
    """

    cues: list[Cue] = field(default_factory=list)
    damage: list[str] = field(default_factory=list)


def read_speech(
    video: str, files: tuple[str, ...], start_s: float, alive: Callable[[], None] = lambda: None
) -> Speech:
    """Read the subtitle files of a video, and the English text streams inside it.

    Args:
        video: its path.
        files: paths of its subtitle files.
        start_s: time of its first frame by the container's clock.
        alive: called after every packet, so that a watcher can tell slow from stuck.
    """
    speech = Speech()
    for path in map(Path, files):
        kind, before = _FORMATS[path.suffix.lower()], len(speech.cues)
        name = f"{SUBTITLES} {path.name}"
        with _told(speech, name), av.open(io.BytesIO(_utf8(path)), "r", format=kind) as held:
            _read(speech, name, held, held.streams.subtitles, 0.0, alive)
            if len(speech.cues) == before:
                raise ValueError("no line of text in it")
    with (
        _told(speech, f"{SUBTITLES} inside"),
        av.open(Path(video).absolute(), "r", options=OPTIONS, metadata_errors="replace") as held,
    ):
        streams = [stream for stream in held.streams.subtitles if _is_english_text(stream)]
        for stream in held.streams:
            stream.discard = Discard.default if stream in streams else Discard.all
        if streams:
            _read(speech, f"{SUBTITLES} inside", held, streams, start_s, alive)
    return speech


@contextmanager
def _told(speech: Speech, name: str) -> Iterator[None]:
    """Note why subtitles cannot be read, whatever the reason."""
    try:
        yield
    except BrokenPipeError:  # the reader of this process is gone
        raise
    except MemoryError:
        speech.damage.append(f"{name}: they need more memory than a decoder may have")
    except Exception as error:
        speech.damage.append(f"{name}: cannot be read ({reason(error)})")


def _utf8(path: Path) -> bytes:
    """Return the text of a file, whatever it is written in."""
    if not stat.S_ISREG(path.stat().st_mode):  # a pipe might never end
        raise ValueError("not a regular file")
    if path.stat().st_size > FILE_BYTES:
        raise ValueError(f"larger than {FILE_BYTES >> 20} MiB")
    data = path.read_bytes()
    if data.startswith(_MARKS):
        text = data.decode("utf-16", "replace")
    else:
        try:
            text = data.decode("utf-8-sig")
        except UnicodeDecodeError:
            text = data.decode("cp1252", "replace")
    return text.replace("\r\n", "\n").replace("\r", "\n").encode()


def _is_english_text(stream: SubtitleStream) -> bool:
    context = stream.codec_context  # None without a decoder, whatever its type says
    return bool(context) and context.codec.text_sub and is_english(stream.language or "")


def _read(
    speech: Speech,
    name: str,
    container: InputContainer,
    streams: Sequence[SubtitleStream],
    start_s: float,
    alive: Callable[[], None],
) -> None:
    """Add the cues of some streams of a file."""
    damaged = cut = 0
    for packet in container.demux(*streams):
        alive()
        if not packet.size or packet.pts is None:  # the empty one at the end is FFmpeg's own
            continue
        try:
            text = _text(packet)
        except FFmpegError:
            damaged += 1
            continue
        if not text:
            continue
        if len(speech.cues) == MOST_CUES:
            speech.damage.append(f"{name}: only the first {MOST_CUES:,} lines are read")
            break
        cut += len(text) > CUE_CHARACTERS
        at_s = float(packet.pts * packet.time_base) - start_s
        end_s = at_s + max(0.0, float((packet.duration or 0) * packet.time_base))
        speech.cues.append(Cue(at_s, end_s, text[:CUE_CHARACTERS]))
    if damaged:
        speech.damage.append(f"{name}: damaged lines: {damaged:,}")
    if cut:
        speech.damage.append(f"{name}: lines cut at {CUE_CHARACTERS} characters: {cut:,}")


def _text(packet: Packet[Stream]) -> str:
    """Return the words of a packet, without markup."""
    parts = [part for part in packet.decode() if isinstance(part, AssSubtitle)]
    text = b"\n".join(part.dialogue or part.text for part in parts).decode("utf-8", "replace")
    return " ".join(html.unescape(_MARKUP.sub("", _SPACE.sub(" ", text))).split())
