import pytest

from unify.engine.not_indexed import not_indexed

PATHS = ["clips/dog.mp4", "clips/a cat.mp4", "more/dog.mp4", "more/far.mp4"]


@pytest.mark.parametrize(
    ("asked", "hint"),
    [
        ("dog.mp4", "did you mean clips/dog.mp4, more/dog.mp4?"),
        ("clips/./dgo.mp4", "did you mean clips/dog.mp4?"),
        ("clips/far.mp4", "did you mean more/far.mp4?"),
        ("clips/fra.mp4", "look for it: unify search path:NAME"),
        ("/", "look for it: unify search path:NAME"),
    ],
)
def test_the_videos_that_may_be_meant_are_named(asked, hint):
    assert str(not_indexed(asked, PATHS)) == f"{asked} is not indexed; {hint}"


def test_of_many_three_are_named():
    paths = [f"{folder}/x.mp4" for folder in "abcd"]
    assert str(not_indexed("x.mp4", paths)).endswith("did you mean a/x.mp4, b/x.mp4, c/x.mp4?")
