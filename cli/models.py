"""`unify models`."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from unify.cli import jsonio, render
from unify.cli.options import JsonOption

ROUGH_BELOW = 500  # moments

PackId = Annotated[str, typer.Argument(metavar="ID", help="A pack's name or folder.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("list")(list_models)
    app.command()(pull)
    app.command()(show)
    app.command()(calibrate)


def list_models(json: JsonOption = False) -> None:
    """List the packs that can be used now: shipped and pulled ones.

    Examples:
        unify models list
        unify models list --json
    """
    from unify.encoders.packs import list_packs, open_pack
    from unify.engine.errors import UsageError

    for name in list_packs():
        try:
            facts = open_pack(name).facts()
        except UsageError as error:  # the others can be used all the same
            render.tell(f"{name} cannot be used: {error}")
            continue
        manifest, megabytes = facts.manifest, facts.size_bytes / 1e6
        if json:
            jsonio.emit({
                "pack": name,
                "fingerprint": manifest.fingerprint,
                "latent_dim": manifest.latent_dim,
                "terms": manifest.terms,
                "size_bytes": facts.size_bytes,
                "towers": manifest.towers,
                "heads": manifest.heads,
                "calibrated": manifest.calibrated,
            })  # fmt: skip
        else:
            render.say(
                f"{name:<8} {manifest.latent_dim} dimensions, {manifest.terms:,} terms, "
                f"{megabytes:.1f} MB, {manifest.precision}, {manifest.heads} heads, "
                f"{manifest.fingerprint[:12]}{'' if manifest.calibrated else ', not calibrated'}"
            )


def pull(
    model: Annotated[str, typer.Argument(metavar="ID", help="OWNER/NAME on the model hub.")],
) -> None:
    """Make a pack of a CLIP or SigLIP model of the hub.

    Only weights as safetensors (else a .bin that is read as tensors), settings and tokenizer are
    fetched; a download that was cut off goes on. Then every word of the lexicon is encoded, once.
    No other command uses the network.

    Examples:
        unify models pull openai/clip-vit-base-patch32
        unify index build ~/Videos --pack hf:openai/clip-vit-base-patch32
    """
    from unify.encoders.hf_pack import HfPack
    from unify.encoders.hf_prepare import pull as pull_pack

    with _Progress("texts of the lexicon") as tell:
        pack = HfPack(pull_pack(model, sys.stderr.isatty(), tell))
    facts = pack.facts()
    render.tell(
        f"{pack.name} is ready ({facts.size_bytes / 1e6:.0f} MB at {facts.folder}): "
        f"unify index build VIDEOS --pack {pack.name}"
    )
    if pack.remark:
        render.tell(pack.remark)


def show(pack: PackId = "mini") -> None:
    """Show a pack, its card and licence; check its every byte.

    Examples:
        unify models show
        unify models show hf:openai/clip-vit-base-patch32
    """
    from unify.encoders.packs import open_pack

    opened = open_pack(pack)
    facts = opened.facts()
    manifest = facts.manifest
    render.say(f"pack         {manifest.name} at {facts.folder}")
    render.say(f"fingerprint  {manifest.fingerprint}")
    render.say(f"made of      {manifest.towers} towers, {manifest.heads} heads")
    if manifest.source:
        render.say(f"source       {manifest.source}")
    if opened.remark:
        render.say(f"remark       {opened.remark}")
    for file in manifest.files:
        render.say(f"file         {file.path}  {file.size_bytes:,} bytes  sha256 {file.sha256}")
    opened.verify()
    render.say("checked      every byte is as it was published")
    render.say(f"\n{facts.card.strip()}\n\n{facts.licence.strip()}")


def calibrate(
    pack: PackId,
    folder: Annotated[
        Path, typer.Argument(metavar="FOLDER", readable=False, help="Pictures to calibrate on.")
    ],
) -> None:
    """Calibrate a pulled or local pack on any videos and pictures.

    Hundreds of them make scores mean the same from query to query, and take off what all
    pictures share. FOLDER may be a data set: captions then choose how much the lexicon counts.
    It must not be what the pack is measured on afterwards. The pack gets another fingerprint:
    indexes that it built must be built again.

    Examples:
        unify models calibrate hf:openai/clip-vit-base-patch32 ~/Videos
    """
    from unify.encoders.hf_pack import HfPack
    from unify.encoders.hf_prepare import calibrate_pack
    from unify.encoders.packs import open_pack
    from unify.engine.errors import UsageError

    opened = open_pack(pack)
    if not isinstance(opened, HfPack):
        raise UsageError(
            f"pack {pack} was calibrated when it was trained", "only hf: packs need this"
        )
    with _Progress("moments, at most") as tell:
        done = calibrate_pack(opened, folder, tell)
    for name, why in done.failed:
        render.tell(f"not decodable, left out: {name} ({why})")
    counts = {"moment": done.moments, "caption": done.captions}
    on = ", ".join(render.counted(count, one) for one, count in counts.items() if count)
    render.tell(
        f"{opened.name} is calibrated on {on}; lexicon weight {done.calibration.lexicon_weight:g}"
    )
    if done.moments < ROUGH_BELOW:
        render.tell(f"that is rough: with {ROUGH_BELOW} moments of all kinds it is steady")
    render.tell(f"its fingerprint is now {open_pack(pack).fingerprint[:12]}: build indexes again")


class _Progress:
    """Shows on stderr how far something is: a bar on a terminal, tenths in a pipe."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._tenth = 0
        self._bar = None
        if sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

            columns = TextColumn("{task.description}", markup=False), BarColumn()
            console = Console(stderr=True)
            self._bar = Progress(*columns, MofNCompleteColumn(), console=console, transient=True)

    def __enter__(self) -> Callable[[int, int], None]:
        return self._tell

    def __exit__(self, *_: object) -> None:
        if self._bar:
            self._bar.stop()

    def _tell(self, done: int, total: int) -> None:
        if self._bar:
            if not self._bar.task_ids:  # not before: the hub's own bars came first
                self._bar.add_task(self._what)
                self._bar.start()
            self._bar.update(self._bar.task_ids[0], completed=done, total=total)
        elif done * 10 // total > self._tenth:
            self._tenth = done * 10 // total
            render.tell(f"{done:,} of {total:,} {self._what}")
