from tests.cli.conftest import run_unify


def test_version():
    done = run_unify("--version")
    assert (done.code, done.out) == (0, "unify 0.1.0\n")


def test_doctor_is_well(unify, tmp_path):
    done = unify("doctor")
    assert done.code == 0, done.out + done.err
    lines = done.out.splitlines()
    assert all(line.startswith("ok ") for line in lines)
    assert [line.split()[1] for line in lines[:5]] == [
        "python", "unify", "faiss", "decoder", "kernels",
    ]  # fmt: skip
    assert "11 videos" in lines[-1]


def test_doctor_names_what_is_broken(tmp_path):
    (tmp_path / "sitecustomize.py").write_text("import sys; sys.modules['faiss'] = None\n")
    from tests.cli.conftest import ROOT

    done = run_unify("doctor", PYTHONPATH=f"{tmp_path}:{ROOT}")
    assert done.code == 1
    (line,) = (line for line in done.out.splitlines() if line.startswith("FAIL"))
    assert "pip install 'unify-search[cpu]'" in line


def test_models(unify):
    listed = unify("models", "list")
    assert listed.code == 0
    assert "mini" in listed.out
    shown = unify("models", "show", "mini")
    assert shown.code == 0
    for part in ("Apache License 2.0", "MSR-VTT", "Flickr8k"):
        assert part in shown.out
    unknown = unify("models", "show", "nothing")
    assert unknown.code == 2
    assert "mini" in unknown.complaint
