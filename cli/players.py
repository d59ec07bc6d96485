"""Which player shows a video from a given second on, and how it is started."""

from __future__ import annotations

import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass

from unify.engine.errors import UsageError

_GRACE_S = 1.0  # a player that cannot start says so at once
_SYSTEM = "open" if sys.platform == "darwin" else "xdg-open"
_SEEKING = {
    "mpv": ("--start={at}", "--", "{path}"),
    "vlc": ("--start-time={at}", "{path}"),
    "ffplay": ("-loglevel", "error", "-ss", "{at}", "-i", "{path}"),
}


@dataclass(frozen=True, slots=True)
class PlayerCommand:
    """A player and what to start it with.

    Attributes:
        player: its name.
        words: the command.
        seeks: whether it starts at the second itself.
    """

    player: str
    words: list[str]
    seeks: bool

    @property
    def line(self) -> str:
        """The command as a shell takes it."""
        return shlex.join(self.words)


def command_for(path: str, start_s: float, player: str | None = None) -> PlayerCommand:
    """Return how to play a video from a second on.

    Args:
        path: absolute.
        start_s: seconds from the beginning.
        player: a name of `_SEEKING`, `system`, or None for the first that is installed.

    Raises:
        UsageError: there is no such player.
    """
    if player not in (None, "system", *_SEEKING):
        known = ", ".join([*_SEEKING, "system"])
        raise UsageError(f"{player!r} is no player that unify knows", f"choose from {known}")
    for name, words in _SEEKING.items():
        if player in (None, name) and shutil.which(name):
            filled = [word.format(at=f"{start_s:.3f}", path=path) for word in words]
            return PlayerCommand(name, [name, *filled], True)
    if player in (None, "system") and shutil.which(_SYSTEM):
        return PlayerCommand(_SYSTEM, [_SYSTEM, path], False)
    wanted = "no player" if player in (None, "system") else player
    raise UsageError(f"{wanted} is installed", "install mpv, or vlc")


def start(command: PlayerCommand) -> None:
    """Start a player and leave it alone.

    Raises:
        UsageError: it ends at once with an error.
    """
    process = subprocess.Popen(
        command.words,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # ctrl-C in the shell is not for it
    )
    try:
        code = process.wait(_GRACE_S)
    except subprocess.TimeoutExpired:
        return
    if code:
        raise UsageError(f"{command.player} ended with code {code}", f"see why: {command.line}")
