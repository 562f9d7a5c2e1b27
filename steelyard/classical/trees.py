"""Sums of decision trees as flat arrays: one form for forests and boosting, saved and read without pickle.

All nodes of all trees stand in one row of arrays. The two children of a node are neighbours, so one pointer leads to
both; a leaf points to itself. Rows walk down many trees at once, level by level, so that one row is as quick as many.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, Literal

import numpy as np

from steelyard.classical.fitted import softmax, spread

Array = np.ndarray
Link = Literal["identity", "logistic", "softmax"]

PAIRS = 65_536  # (row, tree) pairs walked at once: more fall out of the processor's cache
CODES = 256  # categorical codes lie below


@dataclass(frozen=True, eq=False)
class FittedTrees:
    """Trees whose leaf values are added to `base`, times `scale`, then passed through the link.

    Nodes: `feature` int32, `threshold` float32, `child` int32, `missing_right` bool, `split` int32 into `codes`
    (splits, 32) packed bits, `leaf` int32 into `values` float32 (leaves, w). Trees: `roots` int32, in rounds of
    `per_round` trees, each round giving per_round * w outputs. `known` (features, 32) are the codes of categorical
    columns met in training, packed; an unknown code counts as missing.
    """

    form: ClassVar[str] = "trees"
    types: ClassVar[dict[str, str]] = {
        **dict.fromkeys(("feature", "child", "split", "leaf", "roots"), "int32"),
        **dict.fromkeys(("threshold", "values"), "float32"),
        **dict.fromkeys(("seen", "categorical"), "int64"),
        **{"missing_right": "bool", "codes": "uint8", "known": "uint8", "base": "float64"},
    }
    feature: Array
    threshold: Array
    child: Array
    missing_right: Array
    split: Array
    leaf: Array
    codes: Array
    values: Array
    roots: Array
    base: Array
    seen: Array
    categorical: Array
    known: Array
    features: int
    per_round: int
    scale: float
    link: Link
    classes: int  # 0 in regression

    def check(self) -> None:
        """Raise ValueError when a pointer leads outside its array or upwards: no walk may run wild or for ever."""
        nodes = np.arange(len(self.feature))
        columns = (self.threshold, self.child, self.missing_right, self.split, self.leaf)
        flat = (self.feature, *columns, self.roots, self.base, self.seen, self.categorical)
        if any(a.ndim != 1 for a in flat) or self.values.ndim != 2 or any(len(a) != len(nodes) for a in columns):
            raise ValueError("the arrays of the trees differ in length")
        outputs = {"identity": max(len(self.seen), 1), "logistic": 1, "softmax": len(self.seen)}.get(self.link)
        each = self.per_round * self.values.shape[1]
        whole = self.per_round > 0 and len(self.roots) > 0 and len(self.roots) % self.per_round == 0
        if not whole or not each == len(self.base) == outputs:
            raise ValueError("the trees do not give the outputs asked for")
        down = (self.child == nodes) | ((self.child > nodes) & (self.child < len(nodes) - 1))
        within = [
            (self.feature, self.features),
            (self.leaf, len(self.values)),
            (self.roots, len(nodes)),
            (self.split + 1, len(self.codes) + 1),
            (self.seen, max(self.classes, 1)),
            (self.categorical, self.features),
        ]
        if not down.all() or any(len(a) and not 0 <= a.min() <= a.max() < end for a, end in within):
            raise ValueError("a pointer of the trees leads outside")
        packed = all(a.shape[1:] == (CODES // 8,) for a in (self.codes, self.known))
        if not packed or len(self.known) != len(self.categorical):
            raise ValueError("the category codes of the trees are incomplete")

    @cached_property
    def is_leaf(self) -> Array:
        """Which nodes are leaves (m,)."""
        return np.asarray(self.child == np.arange(len(self.child)))

    @cached_property
    def is_known(self) -> Array:
        """Which codes of each categorical column were met in training (columns, 256)."""
        return np.unpackbits(self.known, axis=1).astype(bool)

    def predict(self, x: Array) -> Array:
        """Probabilities float32 (n, classes) or values float64 (n,)."""
        outputs = self.outputs(x)
        if not self.classes:
            return outputs[:, 0]
        if self.link == "logistic":
            outputs = np.hstack([np.zeros_like(outputs), outputs])
        return spread(outputs if self.link == "identity" else softmax(outputs), self.seen, self.classes)

    def outputs(self, x: Array) -> Array:
        """The sums before the link: float64 (n, outputs)."""
        if x.ndim != 2 or x.shape[1] != self.features:
            raise ValueError(f"expected a matrix (n, {self.features}), got shape {x.shape}")
        x = np.ascontiguousarray(self._without_unknown(x), np.float32)
        total = np.tile(self.base, (len(x), 1))
        if len(x) == 0:
            return total
        rounds = max(1, PAIRS // (len(x) * self.per_round)) * self.per_round
        for start in range(0, len(self.roots), rounds):
            values = self.values[self.leaf[self._walk(x, self.roots[start : start + rounds])]]  # (trees, n, w)
            values = values.reshape(-1, self.per_round, *values.shape[1:]).sum(axis=0, dtype=np.float64)
            total += self.scale * values.transpose(1, 0, 2).reshape(total.shape)
        return total

    def _without_unknown(self, x: Array) -> Array:
        """The matrix with codes that training never met as missing."""
        if len(self.categorical) == 0:
            return x
        x, at = x.copy(), self.categorical
        met = self.is_known[np.arange(len(at)), _codes(x[:, at])]
        x[:, at] = np.where(met, x[:, at], np.nan)
        return x

    def _walk(self, x: Array, roots: Array) -> Array:
        """The leaf nodes (trees, n) that the rows reach from those roots."""
        flat, (n, d) = x.ravel(), x.shape
        missing = bool(np.isnan(flat).any())
        node = np.repeat(roots, n)
        row = np.tile(np.arange(n) * d, len(roots))
        walking, end, level = np.arange(len(node)), np.empty(len(node), np.int32), 0
        while len(node):
            value = flat.take(row + self.feature.take(node))
            node = self.child.take(node) + self._right(node, value, missing)
            level += 1
            if level % 2 == 0:  # looking who has arrived costs as much as a step
                arrived = self.is_leaf.take(node)
                end[walking[arrived]] = node[arrived]
                node, row, walking = node[~arrived], row[~arrived], walking[~arrived]
        return end.reshape(len(roots), n)

    def _right(self, node: Array, value: Array, missing: bool) -> Array:
        """Whether each value at its node goes to the right child."""
        right = np.asarray(value > self.threshold.take(node))
        if len(self.codes):
            split = self.split.take(node)
            at = np.flatnonzero(split >= 0)
            code = _codes(value[at])
            right[at] = (self.codes[split[at], code >> 3] >> (7 - (code & 7))) & 1 == 0
        return np.where(np.isnan(value), self.missing_right.take(node), right) if missing else right


def _codes(values: Array) -> Array:
    """Codes 0..255 of floats; what is missing or outside becomes 255, which no category uses."""
    inside = (values >= 0) & (values < CODES - 1)
    return np.where(inside, values, CODES - 1).astype(np.int64)
