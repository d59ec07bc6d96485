import io

import numpy as np
import pytest

from unify.engine.errors import MissingPackage
from unify.indexer import sheet
from unify.indexer.sheet import WIDTH, Tile, draw_sheet


def jpeg(colour, size=(160, 90)):
    from PIL import Image

    data = io.BytesIO()
    Image.new("RGB", size, colour).save(data, "JPEG", quality=95)
    return data.getvalue()


def tile(rank, picture, **changes):
    given = {
        "name": "beach.mp4", "span": "0:04 - 0:12", "score": "2.50", "share": 0.5,
        "reasons": "sea 0.4 · sand 0.2", "weak": False,
    }  # fmt: skip
    return Tile(picture, rank, **{**given, **changes})


def test_every_picture_has_its_place():
    colours = ["#ff0000", "#00ff00", "#0000ff", "#ffff00", "#00ffff"]
    tiles = [tile(rank, jpeg(colour)) for rank, colour in enumerate(colours, 1)]
    pixels = np.asarray(draw_sheet("the sea", "5 moments", tiles, 3)).astype(int)
    for colour in colours:
        wanted = [int(colour[at : at + 2], 16) for at in (1, 3, 5)]
        shown = (np.abs(pixels - wanted).max(axis=2) < 12).sum()
        assert shown == pytest.approx(WIDTH * round(WIDTH * 9 / 16), rel=0.02)


def test_words_are_written_and_cut_to_their_room():
    blank = draw_sheet(" ", " ", [tile(1, None, name="", span="", reasons="")], 1)
    long = draw_sheet(
        "word " * 200, "s" * 500, [tile(1, None, name="n" * 300, reasons="r " * 300)], 1
    )
    assert long.size == blank.size
    ink = np.asarray(long).astype(int).sum(axis=2) < 300
    assert ink.sum() > np.asarray(blank).astype(int).sum(axis=2).__lt__(300).sum()
    assert not ink[:, :30].any()
    assert not ink[:, -30:].any()


@pytest.mark.parametrize("size", [(10, 400), (400, 10), (1, 1), (333, 187)])
def test_any_shape_and_no_picture(size):
    image = draw_sheet("x", "y", [tile(1, jpeg("#123456", size)), tile(2, None, weak=True)], 4)
    assert image.width > 2 * WIDTH


def test_other_scripts_are_drawn():
    draw_sheet("一只猫 кот γάτα", "Gruyères – 日本", [tile(1, jpeg("#888888"), name="猫.mp4")], 1)


def test_without_pillow_the_error_names_the_pip_line(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "PIL", None)
    with pytest.raises(MissingPackage, match="pip install 'unify-search\\[sheet\\]'"):
        sheet.require_pillow()
