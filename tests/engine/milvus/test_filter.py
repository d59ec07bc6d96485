"""Filters as expressions."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from unify.engine.milvus.filter import expression, meets, needs_check
from unify.engine.query import Filters


@given(
    parts=st.lists(st.text(max_size=4).filter(bool), max_size=3),
    paths=st.lists(st.text(max_size=8), min_size=1, max_size=3),
)
def test_what_needs_no_check_is_found_right(parts, paths):
    """Where one plain part is asked for, the pattern means what the filter means."""
    filters = Filters(tuple(parts))
    if len(parts) == 1 and not needs_check(filters):
        assert expression(filters, []) == f'paths like "%{parts[0].lower()}%"'
    joined = "\n".join(path.lower() for path in paths)
    if meets(filters, paths):
        assert all(part.lower() in joined for part in parts)


def test_numbers_are_written_out():
    filters = Filters(min_s=1e-7, max_s=1e20, after=-1.5, before=float("-inf"))
    assert expression(filters, []) == (
        "duration_s >= 0.0000001 and duration_s <= 100000000000000000000.0 "
        "and recorded >= -1.5 and id < 0"
    )
    assert expression(Filters(), []) == ""
