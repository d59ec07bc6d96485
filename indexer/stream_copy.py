"""Copies a range of a video as it is stored, sound and all, without decoding and encoding it.

A copy can only begin at a key picture, which may lie before the asked start.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, TypeAlias

from av.container import OutputContainer
from av.packet import Packet
from av.stream import Stream

from unify.engine.errors import MediaError
from unify.indexer.seek import VAGUE, Entry

AnyPacket: TypeAlias = "Packet[Any]"  # generic for the type checker alone


@dataclass(slots=True)
class Written:
    """The pictures written so far, in ticks of the source.

    Attributes:
        first: where the first one begins; None before there is one.
        end: where the last one ends.
        count: how many.
        sound: whether there is sound with them.
    """

    first: int | None = None
    end: int = 0
    count: int = 0
    sound: bool = False

    def add(self, tick: int, duration: int) -> None:
        """Note a picture."""
        self.first = tick if self.first is None else min(self.first, tick)
        self.end = max(self.end, tick + duration)
        self.count += 1


def copy_range(entry: Entry, start_s: float, end_s: float, out: OutputContainer) -> Written:
    """Copy from the key picture at or before the start; pictures that lean on earlier ones go.

    Args:
        entry: the source.
        start_s: index time.
        end_s: index time.
        out: an empty container that can hold the source's streams.

    Raises:
        MediaError: the source cannot be entered there.
    """
    if entry.container.format.name in VAGUE:
        raise MediaError(
            f"its container ({entry.container.format.name}) does not say when pictures show",
            "cut it with --exact",
        )
    sounds = entry.container.streams.audio[:1]
    copies = {s.index: out.add_stream_from_template(s) for s in (entry.stream, *sounds)}
    begin, end = entry.key_before(start_s), entry.end_tick(end_s)
    offset_s, until_s = begin * entry.tick_s, end * entry.tick_s
    written = Written()
    waiting: list[AnyPacket] = []
    open_streams = set(copies)
    for packet in _packets_from(entry, begin, sounds):
        at, base = _time(packet), packet.time_base or entry.tick_s
        decoded = packet.dts if packet.dts is not None else at
        if decoded * base >= until_s:
            open_streams.discard(packet.stream_index)
        if not open_streams:
            break
        if packet.stream_index not in open_streams or at * base < offset_s:
            continue
        if packet.stream_index != entry.stream.index:
            written.sound = True
            _copy(packet, copies[packet.stream_index], offset_s, out)
            continue
        waiting.append(packet)
        if at < end:  # what was held back shows later, and may be needed to decode this
            for held in waiting:
                written.add(_time(held), held.duration or 1)
                _copy(held, copies[held.stream_index], offset_s, out)
            waiting.clear()
            end = max(end, written.end)  # then what shows before it must be there, too
            until_s = end * entry.tick_s
    return written


def _packets_from(entry: Entry, begin: int, sounds: Sequence[Stream]) -> Iterator[AnyPacket]:
    """Yield the packets of the key picture at a tick and of all that follows, with the sound."""
    for _ in entry.sought(begin):
        early: list[AnyPacket] = []  # sound may be stored before the pictures it belongs to
        packets = (p for p in entry.container.demux(entry.stream, *sounds) if p.size)
        for packet in packets:
            if packet.stream_index != entry.stream.index:
                early.append(packet)
            elif _time(packet) == begin:
                yield from early
                yield packet
                yield from packets
                return
            elif (packet.dts if packet.dts is not None else _time(packet)) > begin:
                break
    raise MediaError("its key pictures cannot be found by seeking", "cut it with --exact")


def _time(packet: AnyPacket) -> int:
    at = packet.pts if packet.pts is not None else packet.dts
    return at if at is not None else 0


def _copy(packet: AnyPacket, to: Stream, offset_s: Fraction, out: OutputContainer) -> None:
    offset = round(offset_s / (packet.time_base or Fraction(1)))
    if packet.pts is not None:
        packet.pts -= offset
    if packet.dts is not None:
        packet.dts -= offset
    packet.stream = to
    out.mux(packet)
