"""Filters and hard conditions as an expression of Milvus.

Paths are the exception: which characters its `like` can escape differs between the server and
Milvus Lite. A pattern therefore finds too much rather than too little ("_" for what is special),
and `needs_check` says when what it found must be looked at again.
"""

from __future__ import annotations

import json
import math
import re

import numpy as np

from unify.engine.backend import Condition
from unify.engine.milvus.rows import searchable
from unify.engine.query import Filters

_SPECIAL = re.compile(r"[%_\\\"'\x00-\x1f]")


def of_tenant(tenant: str) -> str:
    """Return the expression of a tenant's rows, which stands in every one."""
    return f"tenant == {json.dumps(tenant)}"


def expression(filters: Filters, conditions: list[Condition]) -> str:
    """Return the expression of what filters and conditions ask, "" where they ask nothing.

    >>> expression(Filters(("Trip_1",), max_s=60.0), [Condition((3, 7), True)])
    'paths like "%trip_1%" and duration_s <= 60.0 and (not array_contains_any(shown, [3, 7]))'
    """
    parts = [f'paths like "%{_SPECIAL.sub("_", searchable(part))}%"' for part in filters.paths]
    for field, sign, value, whatever in (
        ("duration_s", ">=", filters.min_s, 0.0), ("duration_s", "<=", filters.max_s, math.inf),
        ("recorded", ">=", filters.after, -math.inf), ("recorded", "<", filters.before, math.inf),
    ):  # fmt: skip
        if value != whatever:
            number = np.format_float_positional(value, unique=True, trim="0")
            parts.append(f"{field} {sign} {number}" if math.isfinite(value) else "id < 0")
    for condition in conditions:
        shown = f"array_contains_any(shown, {sorted(condition.terms)})"
        parts.append(f"(not {shown})" if condition.negated else shown)
    return " and ".join(parts)


def needs_check(filters: Filters) -> bool:
    """Return whether `expression` may let through paths that do not meet the filters.

    Several parts may be met by several copies of a video, of which one must meet them all.
    """
    parts = [searchable(part) for part in filters.paths]
    return len(parts) > 1 or any(_SPECIAL.search(p) or "\ufffd" in p for p in parts)


def meets(filters: Filters, paths: list[str]) -> bool:
    """Return whether any of a video's paths, as they were given, holds all parts."""
    lowered = [path.lower() for path in paths]
    return any(all(part.lower() in path for part in filters.paths) for path in lowered)
