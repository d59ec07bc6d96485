"""Find moments in videos from a sentence."""

from __future__ import annotations

from pathlib import Path

# Run from a checkout, the folders beside this one are the sub-packages: no install is needed.
_root = Path(__file__).resolve().parent.parent
if (_root / "pyproject.toml").is_file() and (_root / "engine").is_dir():
    __path__.append(str(_root))
