"""Trees of any library, one by one, into the flat arrays of `FittedTrees`."""

from dataclasses import dataclass, replace

import numpy as np

from steelyard.classical.trees import CODES, FittedTrees, Link

Array = np.ndarray


@dataclass(frozen=True, eq=False)
class Tree:
    """One tree as its library tells it: nodes (m,), the root first; `left` is -1 at leaves; `values` (m, w).

    A row goes left when its feature is at most the threshold; where `split` >= 0, when its code is set in that row of
    `codes` (splits, 256). A missing value goes right where `missing_right`.
    """

    feature: Array
    threshold: Array
    left: Array
    right: Array
    missing_right: Array
    values: Array
    split: Array
    codes: Array


def flatten(
    trees: list[Tree],
    *,
    base: Array,
    seen: Array,
    categorical: dict[int, Array],
    features: int,
    per_round: int,
    scale: float,
    link: Link,
    classes: int,
) -> FittedTrees:
    """The trees in one row of arrays; `categorical` maps a column to the codes met in training."""
    trees = [_adjacent(tree) for tree in trees]
    sizes = np.array([len(tree.feature) for tree in trees])
    roots = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    splits = np.concatenate([[0], np.cumsum([len(tree.codes) for tree in trees])[:-1]])
    leaf = np.concatenate([tree.left for tree in trees]) < 0
    child = np.concatenate([tree.left + root for tree, root in zip(trees, roots, strict=True)])
    split = np.concatenate([np.where(t.split < 0, -1, t.split + at) for t, at in zip(trees, splits, strict=True)])
    threshold = _rounded_down(np.concatenate([tree.threshold for tree in trees]))
    known = np.zeros((len(categorical), CODES), bool)
    for place, codes in enumerate(categorical.values()):
        known[place, codes] = True
    return FittedTrees(
        feature=np.where(leaf, 0, np.concatenate([tree.feature for tree in trees])).astype(np.int32),
        threshold=np.where(leaf, np.float32(np.inf), threshold),
        child=np.where(leaf, np.arange(len(leaf)), child).astype(np.int32),
        missing_right=~leaf & np.concatenate([tree.missing_right for tree in trees]).astype(bool),
        split=np.where(leaf, -1, split).astype(np.int32),
        leaf=np.where(leaf, np.cumsum(leaf) - 1, 0).astype(np.int32),
        codes=np.packbits(np.concatenate([tree.codes for tree in trees]), axis=1),
        values=np.concatenate([tree.values for tree in trees])[leaf].astype(np.float32),
        roots=roots.astype(np.int32),
        base=np.asarray(base, np.float64).ravel(),
        seen=np.asarray(seen, np.int64),
        categorical=np.array(list(categorical), np.int64),
        known=np.packbits(known, axis=1),
        features=features,
        per_round=per_round,
        scale=scale,
        link=link,
        classes=classes,
    )


def _adjacent(tree: Tree) -> Tree:
    """The tree with its nodes in breadth-first order, so that the right child follows the left one."""
    level, levels = np.zeros(1, np.int64), []
    while len(level):
        levels.append(level)
        inner = level[tree.left[level] >= 0]
        level = np.column_stack([tree.left[inner], tree.right[inner]]).ravel().astype(np.int64)
    order = np.concatenate(levels)
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order))
    names = ("feature", "threshold", "missing_right", "values", "split")
    moved = {name: getattr(tree, name)[order] for name in names}
    left, right = tree.left[order], tree.right[order]
    pointers = {"left": np.where(left < 0, -1, place[left]), "right": np.where(left < 0, -1, place[right])}
    return replace(tree, **moved, **pointers)


def _rounded_down(threshold: Array) -> Array:
    """Float32 thresholds that part float32 values exactly as the float64 ones do."""
    with np.errstate(over="ignore"):
        near = threshold.astype(np.float32)
    return np.where(near > threshold, np.nextafter(near, np.float32(-np.inf)), near)
