from __future__ import annotations

import json
import subprocess
import sys

import pytest

from unify.encoders.curves import Record, append, cut_back, plot, read
from unify.engine.errors import MissingPackage, UsageError


@pytest.fixture
def metrics(tmp_path):
    path = tmp_path / "metrics.jsonl"
    for step in range(1, 201):
        values = {
            "loss/latent": 5 / step**0.5,
            "loss/flops": 0.001 * step,
            "lr/heads": 1e-3 * (1 - step / 201),
            "lr/towers": 1e-6 * (1 - step / 201),
            "active/video": 300 - step,
            "active/text": 100 - step / 4,
            "seconds": 0.5,
        }
        if step % 50 == 0:
            values |= {"recall/a/lexicon": 20 + step / 10, "recall/b/latent": 18 + step / 10}
        append(path, step, values)
    return path


def test_what_is_appended_is_read(tmp_path):
    path = tmp_path / "metrics.jsonl"
    append(path, 1, {"loss/all": 0.1 + 0.2, "epoch": 0})
    append(path, 2, {"loss/all": float("nan"), "epoch": float("inf")})
    assert read(path) == [
        Record(1, {"loss/all": 0.1 + 0.2, "epoch": 0}),
        Record(2, {"loss/all": None, "epoch": None}),
    ]
    assert all("NaN" not in line and json.loads(line) for line in path.read_text().splitlines())


def test_cut_back_to_the_checkpoint(metrics):
    lines = metrics.read_bytes().splitlines(keepends=True)
    cut_back(metrics, 120)
    assert metrics.read_bytes() == b"".join(lines[:120])
    cut_back(metrics, 120)
    assert len(read(metrics)) == 120
    cut_back(metrics, 0)
    assert read(metrics) == []


def test_an_unfinished_line_is_dropped(metrics):
    whole = metrics.read_bytes()
    metrics.write_bytes(whole + b'{"step": 201, "loss/la')
    assert len(read(metrics)) == 200
    cut_back(metrics, 500)
    assert metrics.read_bytes() == whole


def test_cutting_back_what_is_not_there(tmp_path):
    cut_back(tmp_path / "metrics.jsonl", 5)
    assert not (tmp_path / "metrics.jsonl").exists()


@pytest.mark.parametrize("line", ["nonsense", "[1, 2]", '{"loss/all": 1}', "7", '{"step": null}'])
def test_another_file_is_refused(tmp_path, line):
    path = tmp_path / "metrics.jsonl"
    path.write_text(line + "\n", encoding="utf-8")
    with pytest.raises(UsageError, match="not a record"):
        read(path)


def test_a_missing_file_is_told(tmp_path):
    with pytest.raises(UsageError, match="does not exist"):
        plot(tmp_path / "metrics.jsonl", tmp_path / "curve.svg")


def test_a_curve_is_drawn_with_its_labels(metrics, tmp_path):
    pytest.importorskip("matplotlib")
    out = tmp_path / "curve.svg"
    plot(metrics, out)
    drawing = out.read_text(encoding="utf-8")
    for label in ("step", "loss", "learning rate", "active terms of a row", "held-out recall, %"):
        assert f"<!-- {label} -->" in drawing
    for name in ("latent", "flops", "heads", "towers", "video", "text", "a/lexicon", "b/latent"):
        assert f"<!-- {name} -->" in drawing, "in the legend"
    assert "seconds" not in drawing
    assert r"\mathdefault{10^{-6}}" in drawing, "rates of different sizes need a log scale"
    assert r"\mathdefault{10^{2}}" not in drawing, "numbers of terms do not"


def test_a_png_is_drawn_and_panels_without_values_are_left_out(metrics, tmp_path):
    pytest.importorskip("matplotlib")
    small = tmp_path / "small.jsonl"
    append(small, 1, {"loss/all": 1.0})
    plot(small, tmp_path / "small.png")
    plot(metrics, tmp_path / "curve.png")
    for name in ("small.png", "curve.png"):
        assert (tmp_path / name).read_bytes().startswith(b"\x89PNG")
    assert (tmp_path / "small.png").stat().st_size < (tmp_path / "curve.png").stat().st_size


def test_drawing_leaves_matplotlib_as_it_was(metrics, tmp_path):
    matplotlib = pytest.importorskip("matplotlib")
    before, modules = dict(matplotlib.rcParams), "matplotlib.pyplot" in sys.modules
    plot(metrics, tmp_path / "curve.png")
    assert dict(matplotlib.rcParams) == before
    assert ("matplotlib.pyplot" in sys.modules) == modules


def test_nothing_to_draw_and_another_kind_of_picture(tmp_path):
    path = tmp_path / "metrics.jsonl"
    append(path, 1, {"seconds": 1.0})
    with pytest.raises(UsageError, match="nothing to draw"):
        plot(path, tmp_path / "curve.png")
    with pytest.raises(UsageError, match=r"\.png or \.svg"):
        plot(path, tmp_path / "curve.pdf")


def test_without_matplotlib_the_pip_line_is_told(metrics, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(MissingPackage, match=r"pip install 'unify-search\[train\]'"):
        plot(metrics, tmp_path / "curve.png")


def test_importing_the_module_imports_no_matplotlib():
    code = "import sys, unify.encoders.curves; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
    assert not {b"matplotlib", b"torch"} & {*loaded.stdout.split()}
