"""Frame rates as editors count them, and timecode with and without dropped numbers.

Source: SMPTE ST 12-1; drop-frame counting leaves out numbers 0 and 1 (0 to 3 at 59.94) of every
minute that is no tenth one, so that 29.97 pictures a second follow the clock.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction

from unify.engine.errors import UsageError

STANDARD = tuple(
    Fraction(rate) for rate in (
        Fraction(24000, 1001), 24, 25, Fraction(30000, 1001), 30, Fraction(48000, 1001), 48, 50,
        Fraction(60000, 1001), 60, 100, Fraction(120000, 1001), 120,
    )
)  # fmt: skip
_WRITTEN = re.compile(r"(\d\d):(\d\d):(\d\d)([:;.,])(\d\d\d?)")


@dataclass(frozen=True, slots=True)
class FrameRate:
    """Pictures a second, and how they are numbered.

    Attributes:
        exact: as a fraction.
        drop: whether timecode leaves out numbers; only of 29.97 and 59.94.
    """

    exact: Fraction
    drop: bool = False

    @property
    def nominal(self) -> int:
        """Pictures of a second of timecode."""
        return round(self.exact)

    @property
    def name(self) -> str:
        """For people.

        >>> FrameRate(Fraction(30000, 1001), True).name
        '29.97 drop-frame'
        """
        text = f"{float(self.exact):.3f}".rstrip("0").rstrip(".")
        return text + (" drop-frame" if self.drop else "")

    def frames(self, seconds: float) -> int:
        """Return the number of the picture that is nearest to a time."""
        return round(seconds * self.exact)

    def timecode(self, frame: int) -> str:
        """Return a picture's timecode.

        >>> FrameRate(Fraction(30000, 1001), True).timecode(1800)
        '00:01:00;02'
        >>> FrameRate(Fraction(25)).timecode(90001)
        '01:00:00:01'
        """
        nominal = self.nominal
        if self.drop:
            left_out = nominal // 15
            per_minute = 60 * nominal - left_out
            tens, rest = divmod(frame, 10 * per_minute + left_out)
            minutes = max(0, (rest - left_out) // per_minute)
            frame += left_out * (9 * tens + minutes)
        seconds, number = divmod(frame, nominal)
        hours = seconds // 3600 % 24
        text = f"{hours:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
        return f"{text}{';' if self.drop else ':'}{number:02d}"

    def frame_of(self, timecode: str) -> int:
        """Return the number of the picture with a timecode; 0 for what is none.

        >>> FrameRate(Fraction(30000, 1001), True).frame_of("00:01:00;02")
        1800
        """
        found = _WRITTEN.fullmatch(timecode.strip())
        if found is None:
            return 0
        hours, minutes, seconds, number = (int(found[i]) for i in (1, 2, 3, 5))
        total = 60 * hours + minutes
        frame = (60 * total + seconds) * self.nominal + number
        return frame - self.nominal // 15 * (total - total // 10) if self.drop else frame


def rate_of(measured: Fraction, timecode: str = "") -> FrameRate:
    """Return the standard rate that a file's own one is nearest to, within 0.05 %, or its own.

    29.97 and 59.94 count with dropped numbers, as editors do by default, unless the file's
    timecode says that it does not.

    >>> rate_of(Fraction(2997, 100)).name, rate_of(Fraction(12)).name
    ('29.97 drop-frame', '12')
    """
    nearest = min(STANDARD, key=lambda rate: (abs(rate - measured), rate))
    exact = nearest if abs(nearest - measured) <= nearest / 2000 else measured
    exact = exact.limit_denominator(1001)
    ntsc = exact in (Fraction(30000, 1001), Fraction(60000, 1001))
    return FrameRate(exact, ntsc and (not timecode or ";" in timecode or "." in timecode))


def rate_named(text: str) -> FrameRate:
    """Return the rate that somebody wrote: 25, 23.976, 29.97, 29.97ndf.

    Raises:
        UsageError: it is none.
    """
    plain = text.lower().removesuffix("ndf").removesuffix("df")
    try:
        rate = rate_of(Fraction(plain), "" if not text.lower().endswith("ndf") else ":")
    except (ValueError, ZeroDivisionError):
        rate = FrameRate(Fraction(0))
    if not 1 <= rate.exact <= 120:
        raise UsageError(
            f"cannot read the frame rate {text!r}", "write 25, 23.976, 29.97 or 29.97ndf"
        )
    return rate
