import json
import re

import av
import pytest

from tests.cli.conftest import ROOT, run_unify

FIELDS = [
    "schema", "query_id", "rank", "video", "path", "moment", "start_s", "end_s", "score",
    "latent", "lexicon", "parts", "terms", "exact", "copies", "duplicates", "weak",
]  # fmt: skip


def test_json_is_as_documented(unify):
    done = unify("search", "a", "man", "with", "a", "camera", "--json", "-k", 4)
    assert done.code == 0
    assert [row["rank"] for row in done.rows] == [1, 2, 3, 4]
    for row in done.rows:
        assert list(row) == FIELDS
        assert (row["schema"], row["query_id"], row["exact"]) == (1, 0, True)
        assert list(row["parts"]) == ["latent", "lexicon", "base"]
        assert row["score"] == pytest.approx(sum(row["parts"].values()), rel=1e-6, abs=1e-6)
        assert row["lexicon"] == pytest.approx(sum(t["product"] for t in row["terms"]), rel=1e-6)
        assert row["parts"]["lexicon"] == pytest.approx(
            sum(t["part"] for t in row["terms"]), rel=1e-6
        )
        for term in row["terms"]:
            assert list(term) == ["term", "query", "moment", "product", "part", "source"]
        assert row["path"].endswith(row["video"])
        assert 0 <= row["start_s"] < row["end_s"]
    assert "photographer" in done.rows[0]["video"] or "tour" in done.rows[0]["video"]


def test_one_hit_a_video_unless_moments(unify):
    videos = [row["video"] for row in unify("search", "rocket", "--json", "-k", 50).rows]
    assert len(videos) == len(set(videos)) == 11
    moments = unify("search", "rocket", "--json", "-k", 50, "--moments").rows
    assert len({row["moment"] for row in moments}) == len(moments) > 11


def test_text_says_what_where_and_why(unify):
    done = unify("search", "a flower", "-k", 2)
    title, bar, why = done.out.splitlines()[:3]
    assert re.match(r"  1  samples/flower\.mp4  \d+:\d\d–\d+:\d\d$", title)
    assert re.search(r"█+.* +\d+\.\d\d", bar)
    assert re.match(r"     why: .*flower \d\.\d.* · latent -?\d+\.\d · base -?\d+\.\d$", why)
    parts = [float(part.split()[-1]) for part in why.split(" · ")]
    assert sum(parts) == pytest.approx(float(bar.split()[-1]), abs=0.05 * len(parts) + 0.005)
    assert "\x1b" not in done.out


def test_explained_hits_add_up_on_screen(unify):
    out = unify("search", "a cat", "-k", 1, "--explain").out
    parts = [float(line.split()[0]) for line in out.splitlines() if re.match(r"\s+[+-]\d", line)]
    (total,) = (float(line.split()[0]) for line in out.splitlines() if line.endswith("  score"))
    assert sum(parts) == pytest.approx(total, abs=0.0006 * len(parts))


def test_plan_adds_one_line_without_a_video(unify):
    rows = unify("search", "a cat", "--json", "--plan", "-k", 2).rows
    assert len(rows) == 3
    assert "video" not in rows[2]
    assert (rows[2]["hits"], rows[2]["exact"], rows[2]["gap"]) == (2, True, 0.0)
    assert rows[2]["missing"] == []
    assert rows[2]["times_ms"]


def test_words_that_begin_with_a_minus_are_query_text(unify):
    plain = {row["video"] for row in unify("search", "animal", "--json", "-k", 20).rows}
    without = unify("search", "animal", "-horse", "--json", "-k", 20)
    assert without.code == 0
    shown = {row["video"] for row in without.rows}
    assert "samples/horse.mp4" in plain - shown
    assert unify("search", "--json", "-k20", "--", "animal", "-horse").rows == without.rows
    assert unify("search", "animal", "-kitten", "--json", "-k", 20).code in (0, 2)


def test_queries_from_a_file(unify, tmp_path):
    file = tmp_path / "queries.txt"
    file.write_text("a cat\n\na +dog\ncat^999\nfilm after:never\n", "utf-8")
    done = unify("search", "--queries", file, "--json", "-k", 1, "--plan")
    assert done.code == 2
    assert [row["query_id"] for row in done.rows if "rank" in row] == [0, 2]
    complaints = [line for line in done.err.splitlines() if line.startswith("unify:")]
    assert [re.search(r"line (\d)", line)[1] for line in complaints] == ["2", "4", "5"]
    alone = unify("search", "a cat", "--json", "-k", 1).rows[0]
    same = ("rank", "video", "moment", "start_s", "end_s", "exact")
    assert {key: done.rows[0][key] for key in same} == {key: alone[key] for key in same}
    assert done.rows[0]["score"] == pytest.approx(alone["score"], rel=1e-5)  # encoded in a batch


def test_a_mark_before_the_first_query_is_left_out_and_other_codings_are_refused(unify, tmp_path):
    file = tmp_path / "queries.txt"
    file.write_bytes(b"\xef\xbb\xbf-horse path:samples\r\n")
    lines = unify("search", "--queries", file, "-k", 1).out.splitlines()
    assert lines[0] == "0: -horse path:samples"
    file.write_bytes("a dog\na caf\xe9\n".encode("latin-1"))
    done = unify("search", "--queries", file)
    assert (done.code, done.out) == (2, "")
    assert done.complaint == f"unify: {file}, line 2 is no UTF-8; save the file as UTF-8"


def test_queries_from_a_pipe_or_nowhere(unify, tmp_path):
    assert unify("search", "--queries", tmp_path / "none").code == 2
    both = unify("search", "cat", "--queries", tmp_path / "none")
    assert both.code == 2
    assert "--queries has the words to look for" in both.complaint
    assert unify("search").code == 2


def test_nothing_found_is_no_error(unify):
    done = unify("search", "cat path:nowhere")
    assert (done.code, done.out) == (0, "")
    assert done.complaint == "nothing found: no moment meets path:nowhere"
    assert unify("search", "cat path:nowhere", "--json").complaint == done.complaint


def test_conditions_that_leave_nothing_are_counted_one_by_one(unify):
    moments = len(unify("search", "len:>0", "--moments", "--json", "-k", 100).rows)
    dogs = len(unify("search", "+dog", "--moments", "--json", "-k", 100).rows)
    done = unify("search", "+dog -dog path:nowhere len:>0")
    nothing, without_dog, with_dog = done.err.splitlines()[-3:]
    counted = f"{dogs} moment{'' if dogs == 1 else 's'}"
    assert nothing == (
        f"nothing found: no moment meets at once path:nowhere (0 moments), len:>0 ({moments} "
        f"moments), +dog ({counted}), -dog ({moments - dogs} moments)"
    )
    assert without_dog.startswith(f"without path:nowhere, +dog: {moments - dogs} moments, the best")
    best = unify("search", "dog +dog", "--json", "-k", 1).rows[0]["video"]
    assert with_dog.startswith(f"without path:nowhere, -dog: {counted}, the best {best} 0:")


def test_no_best_is_named_that_words_alone_would_leave_out(unify):
    asked = ("search", "horse^-3", "--mode", "lexicon", "--no-expand")
    assert unify(*asked).complaint == "nothing found: no moment scores above 0"
    done = unify(*asked, "len:>0", "after:2990-01-01")
    assert done.complaint.startswith("without after:2990-01-01: ")
    assert "the best" not in done.complaint


def test_a_threshold_that_leaves_nothing_names_the_best_score(unify):
    best = unify("search", "a dog", "--json", "-k", 1).rows[0]["score"]
    told = f"nothing found: no moment reaches the threshold; the best scores {best:.3g}"
    assert unify("search", "a dog", "--threshold", 99).complaint == told


@pytest.mark.parametrize(
    ("arguments", "code", "complaint"),
    [
        ([""], 2, "the query is empty"),
        (["x" * 10_000], 2, "the query has 10,000 characters"),
        (["+qwertyuiop"], 2, "'qwertyuiop' is not in the lexicon at character 1"),
        (["cat", "len:soon"], 2, "cannot read the length 'soon' at character 5"),
        (["cat", "-k", "0"], 2, "k is 0"),
    ],
)
def test_bad_queries(unify, arguments, code, complaint):
    done = unify("search", *arguments)
    assert (done.code, done.out) == (code, "")
    assert done.err.count("\n") == 1
    assert complaint in done.complaint


def test_unknown_options_and_modes_are_usage_errors(unify):
    assert unify("search", "cat", "--nonsense").code == 2
    assert unify("search", "cat", "--mode", "both").code == 2


def test_no_index(tmp_path):
    done = run_unify("search", "cat", cwd=tmp_path)
    assert done.code == 3
    assert done.complaint.startswith("unify: no index in ")
    assert "unify index build" in done.complaint


def test_an_index_of_another_pack(samples_index, tmp_path):
    import shutil

    from unify.engine.manifest import read_manifest, write_manifest

    copy = tmp_path / "index"
    shutil.copytree(samples_index, copy)
    manifest = read_manifest(copy)
    from dataclasses import replace

    other = replace(manifest.settings, fingerprint="0" * 64)
    write_manifest(copy, replace(manifest, settings=other))
    done = run_unify("search", "cat", "--index", copy)
    assert done.code == 3
    assert "built by pack mini (000000000000)" in done.complaint
    assert run_unify("index", "build", "samples", "--index", copy).code == 3


def test_a_damaged_segment(samples_index, tmp_path):
    import shutil

    copy = tmp_path / "index"
    shutil.copytree(samples_index, copy)
    victim = next(copy.glob("segments/*/forward_terms.npy"))
    victim.write_bytes(victim.read_bytes()[:-5])
    done = run_unify("search", "cat", "--index", copy)
    assert done.code == 4
    assert str(victim) in done.complaint
    assert "unify index verify" in done.complaint
    checked = run_unify("index", "verify", "--index", copy, "--json")
    assert checked.code == 4
    (row,) = checked.rows
    assert any(str(victim) in line for line in row["problems"])


def test_terms_of_the_library_and_of_a_video(unify):
    top = unify("terms", "--top", 5, "--json").rows
    assert len(top) == 5
    counts = [row["moments"] for row in top]
    assert counts == sorted(counts, reverse=True)
    rows = unify("terms", "samples/flower.mp4", "--json", "--top", 10).rows
    assert "flower" in [row["term"] for row in rows]
    assert unify("terms", "samples/cat.mp4").out.splitlines()[0].strip()
    missing = unify("terms", "samples/none.mp4")
    assert missing.code == 2
    assert "is not indexed" in missing.complaint


def test_search_loads_neither_torch_nor_a_decoder(samples_index):
    code = (
        "import sys; sys.argv = ['unify', 'search', 'a cat', '--json']\n"
        "from unify.cli.main import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "import json; print(json.dumps(sorted(sys.modules)))"
    )
    import os
    import subprocess
    import sys

    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={**os.environ, "UNIFY_INDEX": str(samples_index)},
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = set(json.loads(done.stdout.splitlines()[-1]))
    assert "unify.engine.search" in loaded
    assert not loaded & {"torch", "transformers", "av", "decord", "numba", "sqlite3"}


def test_a_run_in_trec_format(unify, tmp_path):
    file = tmp_path / "queries.txt"
    file.write_text("a cat\na horse\n", "utf-8")
    out = unify("search", "--queries", file, "--format", "trec", "-k", 2).out
    rows = unify("search", "--queries", file, "--json", "-k", 2).rows
    lines = [line.split() for line in out.splitlines()]
    assert [(int(q), int(rank), float(score)) for q, _, _, rank, score, _ in lines] == [
        (row["query_id"], row["rank"], row["score"]) for row in rows
    ]
    assert unify("search", "a cat", "--format", "json", "-k", 1).rows[0]["rank"] == 1


def test_words_that_nothing_shows_are_named(unify):
    line = unify("search", "polar bear", "-k", 1).err.splitlines()[-1]
    assert re.match(
        r"(no good match: every hit is weak; )?no moment clearly shows .*'polar' "
        r"\(best 0\.\d\d of 0\.10\).*: absent, or not recognised",
        line,
    )
    assert "no moment" not in unify("search", "a horse", "-k", 1).err


def test_a_later_page_of_weak_hits_does_not_deny_the_good_ones_before(unify):
    first = unify("search", "a horse", "-k", 1)
    later = unify("search", "a horse", "--offset", 9, "--duplicates", "--sort", "time")
    assert "weak" not in first.out
    assert later.out.count("  weak") == 2
    assert "no good match" not in later.err


def test_what_is_left_without_a_word_is_neither_weak_nor_ranked(unify):
    done = unify("search", "-water", "path:samples")
    assert [line[:5] for line in done.out.splitlines()] == [
        f"  {rank}  " for rank in range(1, len(done.out.splitlines()) + 1)
    ]
    assert done.err.startswith("not ranked: ")
    assert "no good match" not in done.err


def test_options_behind_two_dashes_are_told_to_be_words(unify):
    done = unify("search", "--", "-water", "--mode", "latent", "-k")
    assert "--mode stands behind -- and is read as a word" in done.err
    assert "latent stands" not in done.err
    assert "stands" not in unify("search", "-k", 1, "--", "-water", "--index-of").err


def test_facets_of_the_hits(unify):
    last = unify("search", "animal", "--facets", "-k", 1).out.splitlines()[-1]
    assert re.match(r"facets of \d+ hits: \w+ \d+ · ", last)
    row = unify("search", "animal", "--facets", "-k", 1, "--json").rows[-1]
    assert row["moments"] > 0
    assert all(
        0 < f["count"] <= row["moments"] and f["count"] <= f["library"] for f in row["facets"]
    )


def test_facets_are_of_the_hits_that_are_shown(unify):
    for options in ((), ("--moments",), ("--per-video", 2), ("--moments", "--no-duplicates")):
        rows = unify("search", "sky", "--facets", "-k", 200, "--json", *options).rows
        good = [row for row in rows[:-1] if not row["weak"]]
        assert rows[-1]["moments"] == len(good) > 0, options


@pytest.mark.parametrize("option", [("--facets",), ("--per-video", 2), ("--sort", "time")])
def test_options_of_one_query_are_refused_for_many(unify, tmp_path, option):
    file = tmp_path / "queries.txt"
    file.write_text("a cat\n")
    done = unify("search", "--queries", file, *option)
    assert (done.code, done.out) == (2, "")
    assert "one query" in done.complaint


def test_a_terminal_is_shown_where_the_query_is_wrong(samples_index):
    import os
    import pty
    import subprocess
    import sys

    ours, theirs = pty.openpty()
    done = subprocess.run(
        [sys.executable, "-m", "unify", "search", "a cat +qwertyuiop"],
        cwd=ROOT,
        env={**os.environ, "UNIFY_INDEX": str(samples_index), "NO_COLOR": "1"},
        stdout=subprocess.DEVNULL,
        stderr=theirs,
        check=False,
    )
    os.close(theirs)
    lines = os.read(ours, 4096).decode().splitlines()
    os.close(ours)
    assert done.returncode == 2
    assert lines[:2] == ["a cat +qwertyuiop", "      ^"]
    assert lines[2].startswith("unify: 'qwertyuiop' is not in the lexicon at character 7")


@pytest.fixture(scope="module")
def copies_index(tmp_path_factory):
    """Two videos, one of them twice: as it is, and smaller at a lower quality."""
    folder = tmp_path_factory.mktemp("copies")
    for name in ("cat", "horse"):
        (folder / f"{name}.mp4").write_bytes((ROOT / "samples" / f"{name}.mp4").read_bytes())
    with av.open(folder / "cat.mp4") as video, av.open(folder / "again.mp4", "w") as out:
        stream = out.add_stream("libx264", rate=25, options={"crf": "28"})
        stream.width, stream.height, stream.pix_fmt = 320, 240, "yuv420p"
        for frame in video.decode(video=0):
            small = av.VideoFrame.from_ndarray(
                frame.reformat(320, 240, "rgb24").to_ndarray(), "rgb24"
            )
            out.mux(stream.encode(small))
        out.mux(stream.encode())
    index = folder / "index"
    assert run_unify("index", "build", folder, "--index", index).code == 0
    return index


def test_near_duplicates_fold_in_text_and_on_request(copies_index):
    def search(*options):
        return run_unify("search", "a", "cat", *options, "--index", copies_index)

    text = search()
    titles = [line for line in text.out.splitlines() if re.match(r" +\d+  ", line)]
    assert len(titles) == 2
    assert [line for line in text.out.splitlines() if "near" in line] == ["     +1 near-duplicate"]
    assert len(re.findall(r"(?m)^ +\d+  ", search("--duplicates").out)) == 3
    every, folded = search("--json").rows, search("--json", "--no-duplicates").rows
    assert [row["duplicates"] for row in every] == [0, 0, 0]
    assert sorted(row["duplicates"] for row in folded) == [0, 1]
    assert folded[0]["moment"] == every[0]["moment"]
    second = search("--json", "--no-duplicates", "-k", 1, "--offset", 1).rows
    assert [row["moment"] for row in second] == [folded[1]["moment"]]


def test_a_phrase_that_is_no_term_is_told(unify):
    line = '"green field" is no term of the lexicon: read word by word'
    for command in ("search", "explain"):
        assert line in unify(command, 'a "green field"').err
    assert "no term" not in unify("search", "a green field").err


def test_scores_by_rank_have_digits_enough_to_differ(unify):
    out = unify("search", "a horse", "--fusion", "rrf", "-k", 20, "--duplicates").out
    scores = re.findall(r"(?m)^     [▏▎▍▌▋▊▉█ ]+ (\d\.\d+)$", out)
    assert len(scores) == len(set(scores)) == 11
    assert "base" not in out
