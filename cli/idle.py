"""Options that would do nothing beside one another: refused, in every interface's own names."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from unify.cli.finding import Question
from unify.cli.options import refuse

_EVEN = (1.0, 1.0)


def refuse_idle(
    question: Question, pictures: int, ways: Sequence[str], named: Callable[[str], str]
) -> None:
    """See that every option of a question does something.

    Args:
        question: what is asked; it need not hold its picture yet.
        pictures: how many moments, pictures and clips were given to go by; one is meant.
        ways: how the interface names the options that give them.
        named: returns how the interface names an option, given the field of `Question` or `Options`
            that it sets.

    Raises:
        UsageError: one does nothing.
    """
    options, fused = question.options, question.options["mode"] == "fused"
    weighed = options["fusion"] in ("rrf", "sum")
    refuse(
        (pictures > 1,
         "more than one picture to go by", f"give one of {', '.join(ways)}"),
        (pictures > 0 and not options["expand"],
         "a picture has no words to expand",
         f"leave {named('expand')} out beside {', '.join(ways)}"),
        (question.weight != 1.0 and not (pictures and question.text),
         f"{named('weight')} weighs a picture beside words",
         f"give words, and one of {', '.join(ways)}"),
        (question.per_video is not None and options["moments"],
         f"{named('per_video')} and {named('moments')} are two ways to show a video",
         "give one of them"),
        (not fused and options["fusion"] != "affine",
         f"{named('mode')} {options['mode']} is one side alone, so nothing is fused",
         f"leave {named('fusion')} or {named('mode')} out"),
        (options["weights"] != _EVEN and not weighed,
         f"{named('weights')} are of {named('fusion')} rrf and sum", "give one of these, too"),
        (options["mode"] == "latent" and bool(options["drop"] or not options["expand"]),
         f"{named('mode')} latent looks for no terms",
         f"leave {named('expand')} and {named('drop')} out"),
    )  # fmt: skip
