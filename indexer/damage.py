"""What of a video could not be read."""

from __future__ import annotations

from dataclasses import dataclass, field

from av.packet import Packet
from av.video.stream import VideoStream

_GAP = 1.5  # usual distances of packets; farther apart, something is missing
_LATE = 2  # packets: so soon after the mark comes what was joined


class MarkedPackets:
    """Counts the packets of which the container has found that a part is missing.

    MPEG-TS numbers its pieces. Where files are joined the numbers jump and nothing is missing: then
    a key frame comes, at once or by another clock. Such marks do not count.
    """

    def __init__(self) -> None:
        self._sure = 0
        self._left = 0  # packets in which a key frame may explain the last mark
        self._due = 0  # when the next packet comes at the latest, unless one is missing

    @property
    def count(self) -> int:
        """How many; a mark at the end of the file is explained by nothing."""
        return self._sure + (self._left > 0)

    def add(self, packet: Packet[VideoStream]) -> None:
        """Look at the next packet, in the order of the file."""
        if self._left:
            joined = packet.is_keyframe and packet.dts is not None and packet.dts <= self._due
            self._left = 0 if joined else self._left - 1
            self._sure += not joined and (not self._left or packet.is_corrupt)
        if packet.is_corrupt:
            self._left = _LATE
        self._due = (packet.dts or 0) + round(_GAP * (packet.duration or 0))


@dataclass(slots=True)
class Damage:
    """What could not be read so far.

    Attributes:
        marked: packets that the container told of, in the whole file.
        undecoded: packets that did not decode, or not to a whole picture.
        cut: where the file ends early, or "".
    """

    marked: MarkedPackets = field(default_factory=MarkedPackets)
    undecoded: int = 0
    cut: str = ""

    def __str__(self) -> str:
        """Say it, or return "".

        What a container told of is mostly what does not decode, so the greater number counts.

        >>> str(Damage(undecoded=1, cut="no end"))
        '1 damaged packet, cut short: no end'
        """
        count = max(self.marked.count, self.undecoded)
        packets = "1 damaged packet" if count == 1 else f"{count:,} damaged packets"
        parts = [packets] if count else []
        return ", ".join([*parts, *([f"cut short: {self.cut}"] if self.cut else [])])
