"""Which packets of a video have to be decoded so that the wanted pictures come out unchanged.

A decoded picture depends on packets before it, back to a key frame, and on none that no other
picture refers to. So what follows the last wanted picture of a group is dropped, groups without
one are jumped over, and of the rest only pictures that others refer to are decoded. Nothing is
approximated; `decode.py` goes back to decoding everything when a stream does not keep to this.
It must not know PyAV.
"""

from __future__ import annotations

from array import array
from enum import IntEnum

import numpy as np

from unify.engine.types import Int64


class Step(IntEnum):
    """What to do with a packet."""

    DROP = 0  # no wanted picture depends on it
    REFER = 1  # decode it if others refer to it
    SHOW = 2  # decode it: its picture is wanted


class PacketOrder:
    """Presentation times and key frames of all packets, in the order in which they are decoded."""

    def __init__(self) -> None:
        self._ticks = array("q")
        self._keys = bytearray()

    def add(self, tick: int | None, key: bool) -> None:
        """Note the next packet."""
        self._ticks.append(-1 if tick is None else tick)
        self._keys.append(key)

    def steps(self, wanted: Int64) -> bytes | None:
        """Return a `Step` for each packet, or None where times do not tell packets apart.

        Args:
            wanted: ticks of the wanted pictures, ascending.
        """
        ticks = np.frombuffer(self._ticks, np.int64)
        keys = np.frombuffer(self._keys, np.bool_)
        if not len(ticks) or not keys[0] or len(np.unique(ticks)) < len(ticks):
            return None
        starts = np.flatnonzero(keys)
        ends = np.append(starts[1:], len(ticks)) - 1
        group = np.cumsum(keys) - 1
        shows = np.isin(ticks, wanted)
        # Shown before the key frame that it follows: it may depend on the group before.
        leading = ticks < ticks[starts][group]
        last = np.full(len(starts), -1, np.int64)
        shown = np.flatnonzero(shows)
        last[group[shown]] = shown  # ascending: the last one stays
        before = np.unique(group[shows & leading]) - 1
        last[before] = ends[before]  # the first group has no leading pictures: its start is first
        whole = np.append(False, (last == ends)[:-1])  # is the group before decoded to its end?
        kept = (np.arange(len(ticks)) <= last[group]) & (~leading | whole[group])
        steps = np.where(kept, np.where(shows, Step.SHOW, Step.REFER), Step.DROP)
        return steps.astype(np.uint8).tobytes()
