"""What changes while a model trains: stages, learning rate, and how hard sparsity is pushed.

Everything here is a number that follows from the step (counted in finished steps, from 0) or from
numbers that the loop has seen; so a resumed run needs the step and `SparsityController.state`
alone. It must not know torch, networks or losses.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from enum import Enum

DEEPEST = 0.01  # of its first value: how far the controller lets go of sparsity


class Stage(Enum):
    """The two stages of semantics grounding in UNIFY (arXiv:2402.16769)."""

    GROUND = "ground"  # the text side is frozen: videos learn the lexicon that texts speak
    JOINT = "joint"  # both sides learn


def stage_of(step: int, steps: int, share: float) -> Stage:
    """Return the stage that a step belongs to.

    Args:
        step: finished steps.
        steps: of the whole run.
        share: of the steps that the first stage takes; 0 leaves it out.

    >>> [stage_of(step, 10, 0.2).value for step in (0, 1, 2)]
    ['ground', 'ground', 'joint']
    """
    return Stage.GROUND if step < round(share * steps) else Stage.JOINT


def quadratic_ramp(step: int, over: int) -> float:
    """Return min(1, step / over)^2, with which a sparsity weight grows from 0.

    SPLADE's schedule (arXiv:2107.05720). A term that dies early gets no gradient through the
    ReLU and does not come back, so training starts without a penalty.

    >>> [quadratic_ramp(step, 4) for step in (0, 2, 4, 9)]
    [0.0, 0.25, 1.0, 1.0]
    """
    return min(1.0, step / over) ** 2 if over > 0 else 1.0


def warmup_cosine(step: int, steps: int, warmup: int) -> float:
    """Return the share of the highest learning rate: a straight rise, then half a cosine to 0.

    The first step has 1 / warmup already, so that none is wasted; the step before `warmup` has 1,
    and 0 would be reached at `steps`.

    Args:
        step: finished steps.
        steps: of the whole run.
        warmup: steps of the rise.

    >>> [round(warmup_cosine(step, 10, 2), 2) for step in (0, 1, 2, 6, 9, 10)]
    [0.5, 1.0, 1.0, 0.5, 0.04, 0.0]
    """
    if step < warmup:
        return (step + 1) / warmup
    done = min(1.0, (step - warmup) / max(1, steps - warmup))
    return 0.5 * (1 + math.cos(math.pi * done))


class SparsityController:
    """Finds the weight of `losses.flops` at which rows keep a wanted number of terms.

    No fixed weight does: it depends on V, on the scale of the weights and on how far training is.
    Every `every` steps the strength is multiplied by `rate` when rows had more terms than wanted
    in these steps, else divided. The penalty never exceeds `cap` of the contrastive loss, else
    sparsity costs recall faster than it saves terms. The rule is ours.

    Args:
        target: wanted mean number of active terms (weight above 0) of a row.
        rate: the factor, above 1.
        every: steps between changes.
        cap: largest penalty, as a share of the contrastive loss.
        first: strength to begin with.
    """

    def __init__(
        self,
        target: float,
        rate: float = 1.1,
        every: int = 50,
        cap: float = 0.3,
        first: float = 0.03,
    ) -> None:
        self.target, self.rate, self.every, self.cap, self.first = target, rate, every, cap, first
        self.strength = first
        self._active = 0.0
        self._seen = 0
        self._capped = False

    def weight(self, flops: float, contrastive: float) -> float:
        """Return this step's weight of the penalty; call once a step.

        Args:
            flops: the penalty before it is weighted.
            contrastive: the contrastive loss of the same scores.
        """
        most = self.cap * contrastive / flops if flops > 0 else math.inf
        self._capped |= most < self.strength
        return min(self.strength, most)

    def observe(self, active: float) -> None:
        """Take in one step's mean number of active terms; every `every` steps, act on them.

        On several processes give the mean over all of them, else they drift apart.
        """
        self._active += active
        self._seen += 1
        if self._seen < self.every:
            return
        if self._active / self._seen <= self.target:
            self.strength = max(self.strength / self.rate, DEEPEST * self.first)
        elif not self._capped:  # else it would grow without an effect, and be long to come back
            self.strength *= self.rate
        self._active, self._seen, self._capped = 0.0, 0, False

    @property
    def state(self) -> dict[str, float]:
        """All that a checkpoint must keep; the settings are not in it."""
        return {
            "strength": self.strength,
            "active": self._active,
            "seen": self._seen,
            "capped": self._capped,
        }

    def restore(self, state: Mapping[str, float]) -> None:
        """Continue from what `state` returned."""
        self.strength, self._active = state["strength"], state["active"]
        self._seen, self._capped = int(state["seen"]), bool(state["capped"])
