"""Exact scores of chosen rows from stored values, the same bit for bit however they are computed.

A row's score must depend on neither its neighbours nor the size of the index, so the order of
every sum is fixed: an inner product is added up in 16 lanes that are then folded in halves, a
sparse one in the order of the row's terms. numpy and the compiled kernels follow the same order.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np

from unify.engine import exact_kernels
from unify.engine.compiled import compiled
from unify.engine.exact_kernels import LANES
from unify.engine.types import Float16, Float32, Float64, Int64, UInt16

Rows: TypeAlias = tuple[Int64, UInt16, Float16]  # indptr (rows + 1,), terms (N,), weights (N,)
Sought: TypeAlias = tuple[UInt16, Float64]  # (V,) places of terms in (1 + Q,) weights; 0: none


def latent_scores(latents: Float16, rows: Int64, query: Float64, fast: bool) -> Float64:
    """Return (n,) inner products in float64.

    Args:
        latents: (M, D) float16.
        rows: (n,) of them.
        query: (D,).
        fast: use compiled kernels.
    """
    if fast:
        out = np.empty(len(rows))
        halves = latents.view(np.uint16)
        compiled(exact_kernels.latent_scores)(halves, rows, query, out)
        return out
    width = -(-len(query) // LANES) * LANES
    products = np.zeros((len(rows), width))
    np.multiply(latents[rows].astype(np.float64), query, out=products[:, : len(query)])
    lanes = products.reshape(len(rows), -1, LANES).sum(axis=1)  # along a slow axis: in order
    while lanes.shape[1] > 1:
        step = lanes.shape[1] // 2
        lanes = lanes[:, :step] + lanes[:, step:]
    return np.asarray(lanes[:, 0])


def sought(terms: UInt16, weights: Float32, size: int) -> Sought:
    """Return a query as rows are scored by: small, so that it stays in a near cache.

    Args:
        terms: (Q,).
        weights: (Q,) of the query.
        size: V, how many terms there are.
    """
    places = np.zeros(size, np.uint16)
    places[terms] = np.arange(1, len(terms) + 1)
    return places, np.concatenate([[0.0], weights])


def lexicon_scores(forward: Rows, rows: Int64, query: Sought, fast: bool) -> Float64:
    """Return (n,) sparse inner products in float64.

    Args:
        forward: rows by moment: indptr (M + 1,), terms, float16 weights.
        rows: (n,) of them.
        query: of `sought`.
        fast: use compiled kernels.
    """
    indptr, terms, weights = forward
    places, asked = query
    if fast:
        out = np.empty(len(rows))
        halves = weights.view(np.uint16)
        compiled(exact_kernels.lexicon_scores)(indptr, terms, halves, rows, places, asked, out)
        return out
    owner, at = positions(indptr, rows)
    products = weights[at].astype(np.float64) * asked[places[terms[at]]]
    return np.asarray(np.bincount(owner, products, len(rows)), np.float64)  # adds in order


def positions(indptr: Int64, rows: Int64) -> tuple[Int64, Int64]:
    """Return where the entries of some rows of a CSR matrix stand: their owners, and themselves.

    >>> owner, at = positions(np.array([0, 2, 3]), np.array([1, 0]))
    >>> owner.tolist(), at.tolist()
    ([0, 1, 1], [2, 0, 1])
    """
    starts, counts = indptr[rows], indptr[rows + 1] - indptr[rows]
    owner = np.repeat(np.arange(len(rows)), counts)
    at = np.arange(int(counts.sum())) + np.repeat(starts - (np.cumsum(counts) - counts), counts)
    return owner, at


def weights_of(stored: Rows, rows: Int64, terms: UInt16, size: int) -> Float64:
    """Return (n, Q) float64 stored weights of some terms.

    Args:
        stored: rows by moment or by frame.
        rows: (n,) of them.
        terms: (Q,).
        size: how many terms there are.
    """
    indptr, row_terms, row_weights = stored
    owner, at = positions(indptr, rows)
    column = np.full(size, -1, np.int16)  # at most V terms are asked for
    column[terms] = np.arange(len(terms))
    columns = column[row_terms[at]]
    hit = columns >= 0
    weights = np.zeros((len(rows), len(terms)))
    weights[owner[hit], columns[hit]] = row_weights[at[hit]]
    return weights
