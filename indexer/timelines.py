"""Moments as cuts that editing programs read: an EDL (CMX 3600) and Final Cut Pro XML.

Sources: CMX 3600 as SMPTE 258M and the programs that read it have it; FCPXML 1.8 as in Apple's
reference (https://developer.apple.com/documentation/professional-video-applications/fcpxml-reference).
Must not know where the moments come from. All cuts lie on whole pictures, one after the other
from 01:00:00:00 on.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from urllib.parse import quote
from xml.etree import ElementTree as Xml

from unify.engine.errors import UsageError
from unify.indexer.seek import Clock
from unify.indexer.timecode import STANDARD, FrameRate, rate_of

MAX_EVENTS = 999  # an EDL numbers its events with three digits
_BEGIN = "01:00:00:00"
_COMMENT = 200  # characters of a comment; some readers stop early


@dataclass(frozen=True, slots=True)
class Event:
    """A range of a file in a timeline.

    Attributes:
        path: absolute, or relative to where a program looks for it.
        start_s: seconds after the file's first picture.
        end_s: likewise.
        clock: the file's.
        title: what was looked for.
        note: why it was found.
    """

    path: str
    start_s: float
    end_s: float
    clock: Clock
    title: str
    note: str

    @property
    def rate(self) -> FrameRate:
        """The file's frame rate."""
        return rate_of(self.clock.rate, self.clock.timecode)

    @property
    def name(self) -> str:
        """The file's name, fit to be printed."""
        return _plain(Path(self.path).name)

    def first(self, rate: FrameRate) -> int:
        """Return the source's number of the first picture at a rate, its timecode included."""
        began = rate.frame_of(self.clock.timecode) if self.clock.timecode else 0
        return began + rate.frames(self.start_s)

    def length(self, rate: FrameRate) -> int:
        """Return how many pictures it takes at a rate, at least one."""
        end_s = min(self.end_s, self.clock.duration_s or self.end_s)
        return max(1, rate.frames(end_s) - rate.frames(self.start_s))


def timeline_rate(events: Sequence[Event]) -> FrameRate:
    """Return the rate for a timeline: the one that most files have, as editors know it.

    A rate that editors do not know becomes the least one that is a multiple of it, or 30.
    """
    rate, _ = Counter(event.rate for event in events).most_common(1)[0]
    if rate.exact in STANDARD:
        return rate
    multiples = (known for known in STANDARD if (known / rate.exact).denominator == 1)
    return FrameRate(next(multiples, Fraction(30)))


def edl(title: str, events: Sequence[Event], rate: FrameRate) -> str:
    """Return an EDL. It knows one frame rate, in which the sources' times are counted too.

    Raises:
        UsageError: there are too many events.
    """
    if len(events) > MAX_EVENTS:
        raise UsageError(
            f"an EDL holds {MAX_EVENTS} events and these are {len(events)}", "choose fewer"
        )
    lines = [f"TITLE: {_plain(title)[:70]}"]
    lines.append(f"FCM: {'DROP FRAME' if rate.drop else 'NON-DROP FRAME'}")
    at = rate.frame_of(_BEGIN)
    for number, event in enumerate(events, 1):
        first, length = event.first(rate), event.length(rate)
        times = " ".join(rate.timecode(frame) for frame in (first, first + length, at, at + length))
        lines += [
            "",
            f"{number:03d}  AX       {_channels(event.clock):<5} C        {times}",
            f"* FROM CLIP NAME: {event.name}",
            f"* SOURCE FILE: {_plain(event.path)}",
            f"* LOC: {rate.timecode(at)} GREEN   {_plain(event.title)}: {event.note}"[:_COMMENT],
        ]
        at += length
    return "\n".join(lines) + "\n"


def _channels(clock: Clock) -> str:
    if not clock.channels:
        return "V"
    return "B" if clock.channels == 1 else "AA/V"


def fcpxml(title: str, events: Sequence[Event], rate: FrameRate) -> bytes:
    """Return Final Cut Pro XML; every source keeps its own frame rate."""
    root = Xml.Element("fcpxml", version="1.8")
    resources = Xml.SubElement(root, "resources")
    formats: dict[tuple[Fraction, int, int], str] = {}
    biggest = max(events, key=lambda event: event.clock.width * event.clock.height).clock
    main = _format(resources, formats, rate, biggest)
    assets = {event.path: event for event in reversed(events)}
    ids = {path: f"a{number}" for number, path in enumerate(assets, 1)}
    for path, event in assets.items():
        _asset(resources, ids[path], event, _format(resources, formats, event.rate, event.clock))
    project = Xml.SubElement(
        Xml.SubElement(Xml.SubElement(root, "library"), "event", name="unify"),
        "project",
        name=_plain(title),
    )
    begin = rate.frame_of(_BEGIN)
    total = sum(event.length(rate) for event in events)
    sequence = Xml.SubElement(
        project,
        "sequence",
        format=main,
        duration=_time(total, rate),
        tcStart=_time(begin, rate),
        tcFormat=_counting(rate),
    )
    spine = Xml.SubElement(sequence, "spine")
    for event, at in _placed(events, rate, begin):
        _clip(spine, ids[event.path], event, rate, at)
    Xml.indent(root, " ")
    body = Xml.tostring(root, "unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE fcpxml>\n{body}\n'.encode()


def _placed(events: Sequence[Event], rate: FrameRate, begin: int) -> Iterator[tuple[Event, int]]:
    for event in events:
        yield event, begin
        begin += event.length(rate)


def _format(
    resources: Xml.Element, formats: dict[tuple[Fraction, int, int], str], rate: FrameRate,
    clock: Clock,
) -> str:  # fmt: skip
    """Return the id of a format, which is added when it is new."""
    key = (rate.exact, clock.width, clock.height)
    if key not in formats:
        formats[key] = f"f{len(formats) + 1}"
        Xml.SubElement(
            resources,
            "format",
            id=formats[key],
            frameDuration=_time(1, rate),
            width=str(clock.width),
            height=str(clock.height),
        )
    return formats[key]


def _asset(resources: Xml.Element, id_: str, event: Event, format_: str) -> None:
    clock, rate = event.clock, event.rate
    sound = {
        "hasAudio": "1",
        "audioSources": "1",
        "audioChannels": str(clock.channels),
        "audioRate": str(clock.sample_rate),
    }
    attributes = {
        "id": id_,
        "name": event.name,
        "src": _address(Path(event.path)),
        "start": _time(rate.frame_of(clock.timecode), rate),
        "duration": _time(max(1, rate.frames(clock.duration_s or event.end_s)), rate),
        "hasVideo": "1",
        "format": format_,
    }
    Xml.SubElement(resources, "asset", attributes | (sound if clock.channels else {}))


def _address(path: Path) -> str:
    """Return the URL of a file; FCPXML takes relative ones, too.

    >>> _address(Path("/a b/c.mp4")), _address(Path("a b/c.mp4"))
    ('file:///a%20b/c.mp4', 'a%20b/c.mp4')
    """
    return path.as_uri() if path.is_absolute() else quote(os.fsencode(path))


def _clip(spine: Xml.Element, ref: str, event: Event, rate: FrameRate, at: int) -> None:
    start = _time(event.first(event.rate), event.rate)
    clip = Xml.SubElement(
        spine,
        "asset-clip",
        ref=ref,
        name=event.name,
        offset=_time(at, rate),
        start=start,
        duration=_time(event.length(rate), rate),
        tcFormat=_counting(event.rate),
    )
    Xml.SubElement(clip, "note").text = _plain(event.note)
    one = _time(1, event.rate)
    marker = {"start": start, "duration": one, "value": _plain(event.title)}
    Xml.SubElement(clip, "marker", marker, note=_plain(event.note))


def _time(frames: int, rate: FrameRate) -> str:
    """Return a time as whole pictures of a rate.

    >>> _time(3, FrameRate(Fraction(30000, 1001))), _time(50, FrameRate(Fraction(25)))
    ('3003/30000s', '2s')
    """
    below, above = rate.exact.numerator, rate.exact.denominator
    return (
        f"{frames // below}s"
        if frames % below == 0 and above == 1
        else f"{frames * above}/{below}s"
    )


def _counting(rate: FrameRate) -> str:
    return "DF" if rate.drop else "NDF"


def _plain(text: str) -> str:
    """Return text without what would break a line or XML."""
    whole = text.encode("utf-8", "replace").decode()
    return "".join(c if c.isprintable() else " " for c in whole)
