"""A contact sheet: one picture of many moments, each with its rank, place, time and reasons.

Knows how a sheet looks, not where the moments come from. Needs Pillow, an extra.
"""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from unify.engine.errors import MissingPackage

if TYPE_CHECKING:
    from PIL import Image
    from PIL.ImageDraw import ImageDraw
    from PIL.ImageFont import FreeTypeFont, ImageFont

    Font: TypeAlias = FreeTypeFont | ImageFont

WIDTH = 360  # pixels of a tile's picture
_LOWEST, _HIGHEST = 150, 360  # pixels; pictures of another shape than most get bars
_MARGIN, _GAP = 36, 24
_PAPER, _INK, _SOFT, _BAR = "#fbfaf8", "#1b1b1a", "#6d6b66", "#e7e4de"
_ACCENT = "#2f6f4f"
_TALLER = 74  # room below a picture for its text
_KNOWN = "…·’“”"  # what Pillow's own font has besides ASCII
_FALLBACKS = (  # where it lacks a script
    "NotoSansCJK-Regular.ttc", "NotoSans-Regular.ttf", "DejaVuSans.ttf", "Arial Unicode.ttf",
    "PingFang.ttc", "Arial.ttf",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Tile:
    """One moment on a sheet.

    Attributes:
        picture: a JPEG, or None where the video cannot be read.
        rank: as in the search.
        name: of the video.
        span: from when to when.
        score: of the hit, as it is to be read.
        share: score beside the best one's, 0 to 1.
        reasons: why it was found, or why there is no picture.
        weak: whether the score lies below the cut-off.
    """

    picture: bytes | None
    rank: int
    name: str
    span: str
    score: str
    share: float
    reasons: str
    weak: bool


def draw_sheet(title: str, subtitle: str, tiles: Sequence[Tile], columns: int) -> Image.Image:
    """Return a sheet as a Pillow image.

    Args:
        title: what was looked for.
        subtitle: one quiet line below it.
        tiles: best first; at least one.
        columns: tiles side by side, at most.

    Raises:
        MissingPackage: Pillow is not installed.
    """
    require_pillow()
    from PIL import Image, ImageDraw

    columns = min(columns, len(tiles))
    rows = -(-len(tiles) // columns)
    pictures = [_opened(tile) for tile in tiles]
    tall = _usual_height(pictures)
    width = max(2 * _MARGIN + columns * (WIDTH + _GAP) - _GAP, 2 * _MARGIN + 480)
    top = _MARGIN + 84
    height = top + rows * (tall + _TALLER + _GAP) - _GAP + _MARGIN - 12
    image = Image.new("RGB", (width, height), _PAPER)
    draw = ImageDraw.Draw(image)
    inside = width - 2 * _MARGIN
    _text(draw, (_MARGIN, _MARGIN - 6), title, 32, _INK, inside, heavy=True)
    _text(draw, (_MARGIN, _MARGIN + 38), subtitle, 16, _SOFT, inside)
    for number, (tile, picture) in enumerate(zip(tiles, pictures, strict=True)):
        left = _MARGIN + number % columns * (WIDTH + _GAP)
        below = top + number // columns * (tall + _TALLER + _GAP)
        _draw_picture(image, draw, picture, (left, below, tall))
        _draw_words(draw, tile, left, below + tall)
    return image


def _opened(tile: Tile) -> Image.Image | None:
    from PIL import Image

    if tile.picture is None:
        return None
    with Image.open(io.BytesIO(tile.picture)) as opened:
        return opened.convert("RGB")


def _usual_height(pictures: Sequence[Image.Image | None]) -> int:
    """Return the height that most pictures have when they are as wide as a tile."""
    heights = [round(WIDTH * p.height / p.width) for p in pictures if p is not None]
    usual = Counter(heights).most_common(1)[0][0] if heights else 0
    return max(_LOWEST, min(_HIGHEST, usual))


def require_pillow() -> None:
    """See that Pillow is installed.

    Raises:
        MissingPackage: it is not.
    """
    try:
        import PIL  # noqa: F401
    except ImportError:
        raise MissingPackage(
            "a contact sheet needs Pillow", "pip install 'unify-search[sheet]'"
        ) from None


def _draw_picture(
    image: Image.Image, draw: ImageDraw, picture: Image.Image | None, place: tuple[int, int, int]
) -> None:
    """Put a picture, or the lack of one, at (left, top, height)."""
    from PIL import Image

    left, top, tall = place
    draw.rectangle((left, top, left + WIDTH - 1, top + tall - 1), fill=_BAR)
    if picture is None:
        _text(draw, (left + 16, top + tall // 2 - 10), "no picture", 16, _SOFT, WIDTH - 32)
        return
    scale = min(WIDTH / picture.width, tall / picture.height)
    size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
    if size != picture.size:
        picture = picture.resize(size, Image.Resampling.LANCZOS)
    image.paste(picture, (left + (WIDTH - size[0]) // 2, top + (tall - size[1]) // 2))


def _draw_words(draw: ImageDraw, tile: Tile, left: int, top: int) -> None:
    """Write what there is to say of a tile below its picture, whose lower edge is `top`."""
    draw.rectangle((left, top, left + WIDTH - 1, top + 3), fill=_BAR)
    reach = left + max(1, round(WIDTH * max(0.0, min(1.0, tile.share)))) - 1
    colour = _SOFT if tile.weak else _ACCENT
    draw.rectangle((left, top, reach, top + 3), fill=colour)
    line = top + 11
    score = tile.score + (" weak" if tile.weak else "")
    taken = _text(draw, (left + WIDTH, line), score, 15, colour, WIDTH // 2, right=True)
    _text(
        draw, (left, line), f"{tile.rank}  {tile.name}", 15, _INK, WIDTH - taken - 12,
        heavy=True, middle=True,
    )  # fmt: skip
    taken = _text(draw, (left, line + 23), tile.span, 15, _INK, WIDTH)
    _text(
        draw, (left + taken + 12, line + 24), tile.reasons, 13, _SOFT, WIDTH - taken - 12, lines=2
    )


def _text(
    draw: ImageDraw, at: tuple[int, int], text: str, size: int, colour: str, room: int,
    *, heavy: bool = False, right: bool = False, middle: bool = False, lines: int = 1,
) -> int:  # fmt: skip
    """Write text that is cut to its room, and return the width it takes.

    Args:
        draw: where to.
        at: left (or right) end and top, in pixels.
        text: one paragraph.
        size: pixels of the font.
        colour: of the text.
        room: pixels it may take across.
        heavy: as the built-in font has no bold, the strokes are widened a little.
        right: `at` is the right end.
        middle: cut in the middle, so that the end of a name stays.
        lines: how many there may be.
    """
    font = _font(size, text)
    stroke = 0.4 if heavy else 0
    widest = 0
    for number, line in enumerate(_wrapped(font, text, room, lines, middle)):
        width = round(font.getlength(line))
        x = at[0] - width if right else at[0]
        draw.text((x, at[1] + round(number * size * 1.3)), line, colour, font, stroke_width=stroke)
        widest = max(widest, width)
    return widest


def _wrapped(font: Font, text: str, room: int, lines: int, middle: bool) -> list[str]:
    words, done = text.split(" "), list[str]()
    while len(done) < lines - 1 and words:
        count = 1
        while count < len(words) and font.getlength(" ".join(words[: count + 1])) <= room:
            count += 1
        done.append(" ".join(words[:count]))
        words = words[count:]
    if words:
        done.append(" ".join(words))
    return [_cut(font, line, room, middle) for line in done]


def _cut(font: Font, text: str, room: int, middle: bool) -> str:
    """Return as much of a line as its room holds, with an ellipsis where something is left out."""
    if font.getlength(text) <= room:
        return text
    low, high = 0, len(text)
    while low < high:
        keep = (low + high + 1) // 2
        if font.getlength(_shortened(text, keep, middle)) <= room:
            low = keep
        else:
            high = keep - 1
    return _shortened(text, low, middle)


def _shortened(text: str, keep: int, middle: bool) -> str:
    """Return `keep` characters of a text.

    >>> _shortened("holiday-2024-beach.mp4", 11, True), _shortened("lake 0.4", 4, False)
    ('holid…ch.mp4', 'lake…')
    """
    head = keep // 2 if middle else keep
    tail = text[len(text) - (keep - head) :] if keep > head else ""
    return text[:head].rstrip(" ·,") + "…" + tail


def _font(size: int, text: str) -> Font:
    from PIL import ImageFont

    if not all(character.isascii() or character in _KNOWN for character in text):
        for name in _FALLBACKS:
            try:
                return ImageFont.truetype(name, size)
            except OSError:
                continue
    return ImageFont.load_default(size)
