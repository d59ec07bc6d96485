"""`unify open` and `unify cut`: things to do with the hits of the last search."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from unify.cli import files, jsonio, lasthits, players, render
from unify.cli.options import IndexOption, JsonOption, complain

Ranks = Annotated[
    list[str],
    typer.Argument(metavar="N", help="Ranks in the last search: 3, 1-5, or all."),
]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("open")(open_hit)
    app.command()(cut)


def open_hit(
    rank: Annotated[int, typer.Argument(metavar="N", help="A rank in the last search.")],
    player: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="mpv, vlc, ffplay or system. Default: the first found."),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only print the command that would run.")
    ] = False,
    index: IndexOption = None,
    json: JsonOption = False,
) -> None:
    """Play hit N of the last search from its second on.

    mpv, vlc and ffplay start at the moment itself. The system's own player takes no time and
    starts at the beginning: the time to go to is printed, with --dry-run too.

    Examples:
        unify search a red car
        unify open 2
        unify open 2 --player vlc
    """
    hit = _hits([str(rank)], index)[1][0]
    command = players.command_for(hit["path"], hit["start_s"], player)
    if json:
        fields = ("rank", "video", "path", "start_s", "end_s")
        row = {field: hit[field] for field in fields}
        jsonio.emit({**row, "player": command.player, "command": command.words})
    elif dry_run:
        render.say(command.line)
    if not dry_run:
        players.start(command)
    span = f"{render.clock(hit['start_s'], True)}–{render.clock(hit['end_s'], True)}"
    if not command.seeks:
        render.tell(
            f"{command.player} opens {hit['video']} at its beginning: go to {span}; "
            "mpv, vlc or ffplay, once installed, start there"
        )
    elif not dry_run:
        render.tell(f"{command.player}: {hit['video']} at {span}")


def cut(
    ranks: Ranks,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FILE", help="The file, or for several hits the folder."),
    ] = None,
    exact: Annotated[
        bool,
        typer.Option(
            "--exact/--fast",
            help="Encode again, right to the picture; or copy what is stored, which begins at "
            "the key picture before.",
        ),
    ] = True,
    force: Annotated[bool, typer.Option("--force", help="Replace files that exist.")] = False,
    index: IndexOption = None,
    json: JsonOption = False,
) -> None:
    """Cut hits of the last search into files, with their sound.

    A JSON manifest beside each file, FILE.json, says where it comes from: source and its
    SHA-256, range asked and got, query, score and reasons, versions. Exit code 5 says that
    some cannot be cut; the others are all the same.

    Examples:
        unify cut 3
        unify cut 1-5 --out picks/
        unify cut 2 --fast --out two.mkv
    """
    from unify.cli import cuts

    last, hits = _hits(ranks, index)
    jobs = cuts.plan(hits, out, exact, force)
    failed = 0
    for job, outcome in cuts.run(jobs, last):
        if isinstance(outcome, str):
            complain(f"hit {job.hit['rank']}, {render.printable(job.hit['video'])}: {outcome}")
            failed += 1
        elif json:
            jsonio.emit(outcome)
        else:
            render.say(str(job.out))
            render.tell(cuts.described(outcome))
    if failed:
        raise typer.Exit(5)


def _hits(ranks: list[str], index: Path | None) -> tuple[lasthits.LastSearch, list[dict[str, Any]]]:
    from unify.engine.location import known_as

    last = lasthits.recall(known_as(index))
    return last, [files.at_hand(hit) for hit in last.numbered(ranks)]
