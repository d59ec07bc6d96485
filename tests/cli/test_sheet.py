import pytest
from PIL import Image


@pytest.fixture
def work(unify, tmp_path):
    """Run `unify` in a folder of its own."""
    folders = {"XDG_STATE_HOME": str(tmp_path / "s"), "XDG_CACHE_HOME": str(tmp_path / "c")}
    (tmp_path / "work").mkdir()

    def run(*arguments):
        return unify(*arguments, cwd=tmp_path / "work", **folders)

    return run


def test_a_sheet_and_its_ranks(work, tmp_path):
    done = work("sheet", "a", "horse", "in", "a", "field", "-k", 5, "--columns", 3)
    assert (done.code, done.out) == (0, "a-horse-in-a-field.jpg\n")
    with Image.open(tmp_path / "work" / "a-horse-in-a-field.jpg") as image:
        assert image.format == "JPEG"
        wide = image.size
    (row,) = work("sheet", "a horse in a field", "-k", 5, "--out", "a.png", "--json").rows
    assert [hit["rank"] for hit in row["hits"]] == [1, 2, 3, 4, 5]
    with Image.open(tmp_path / "work" / "a.png") as image:
        assert (image.format, image.size) == ("PNG", (row["width"], row["height"]))
        assert image.width > wide[0]
    assert len(list((tmp_path / "c").rglob("*.jpg"))) == 5
    assert work("cut", 1, "--fast").out == "horse_0m00s-0m07s.mp4\n"


def test_sheets_that_cannot_be(work, tmp_path):
    done = work("sheet", "a horse", "--out", "a.bmp")
    assert (done.code, "name a .jpg or .png" in done.complaint) == (2, True)
    (tmp_path / "work" / "a-horse.jpg").write_bytes(b"mine")
    done = work("sheet", "a horse")
    assert (done.code, "--force" in done.complaint) == (2, True)
    done = work("sheet", "cat path:nowhere")
    assert (done.code, done.out, "nothing found" in done.complaint) == (0, "", True)
    assert work("sheet").complaint.startswith("unify: the query is empty")
