"""`unify models`."""

from __future__ import annotations

from typing import Annotated

import typer

from unify.cli import jsonio, render
from unify.cli.options import JsonOption


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("list")(list_models)
    app.command("show")(show)


def list_models(json: JsonOption = False) -> None:
    """List the packs that can be used now."""
    from unify.encoders.packs import list_packs, open_pack

    for name in list_packs():
        facts = open_pack(name).facts()
        manifest, megabytes = facts.manifest, facts.size_bytes / 1e6
        if json:
            jsonio.emit({
                "pack": name,
                "fingerprint": manifest.fingerprint,
                "latent_dim": manifest.latent_dim,
                "terms": manifest.terms,
                "size_bytes": facts.size_bytes,
            })  # fmt: skip
        else:
            render.say(
                f"{name:<8} {manifest.latent_dim} dimensions, {manifest.terms:,} terms, "
                f"{megabytes:.1f} MB, {manifest.precision}, {manifest.fingerprint[:12]}"
            )


def show(
    pack: Annotated[str, typer.Argument(metavar="ID", help="A pack's name or folder.")] = "mini",
) -> None:
    """Show a pack: its files with checksums, its card and its licence; checks every byte."""
    from unify.encoders.packs import open_pack

    opened = open_pack(pack)
    facts = opened.facts()
    render.say(f"pack         {facts.manifest.name} at {facts.folder}")
    render.say(f"fingerprint  {facts.manifest.fingerprint}")
    for file in facts.manifest.files:
        render.say(f"file         {file.path}  {file.size_bytes:,} bytes  sha256 {file.sha256}")
    opened.verify()
    render.say("checked      every byte is as it was published")
    render.say(f"\n{facts.card.strip()}\n\n{facts.licence.strip()}")
