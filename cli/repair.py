"""`unify index repair`."""

from __future__ import annotations

from unify.cli import jsonio, render
from unify.cli.options import IndexOption, JsonOption


def repair(index: IndexOption = None, json: JsonOption = False) -> None:
    """Repair a damaged index, losing only what the damage touches.

    Damaged parts are left out and all else stays searchable; what can be made again from the rest
    is. Videos whose moments are lost become pending: the next build encodes them again. All of
    them are listed. Stopped at any instant, it can be run again.

    Examples:
        unify index verify
        unify index repair
    """
    from dataclasses import asdict

    from unify.engine.location import locate
    from unify.indexer.repair import repair as run

    directory = locate(index)
    done = run(directory)
    if json:
        jsonio.emit({"index": str(directory), **asdict(done)})
    for problem in done.problems:
        render.tell(f"damaged   {problem}")
    for path in () if json else done.lost:
        render.say(f"lost      {render.printable(path)}")
    for path in () if json else done.unknown:
        render.say(f"again     {render.printable(path)}")
    if not done.problems:
        render.tell(f"{directory} is whole")
    else:
        render.tell(
            f"segments written again: {done.rewritten:,}, left out: {done.dropped:,}; "
            f"videos lost: {len(done.lost):,}, to be encoded again and searchable until then: "
            f"{len(done.unknown):,}"
        )
    if done.lost or done.unknown:
        render.tell("encode them again: unify index build, with the same PATHs as before")
