"""Random forest: the mean of deep trees grown on bootstrap samples (Breiman 2001, Machine Learning 45)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from steelyard.classical.dummy import Dummy
from steelyard.classical.fitted import FittedEstimator, row_weights, training
from steelyard.classical.flatten import Tree, flatten
from steelyard.classical.trees import CODES
from steelyard.knobs import knob
from steelyard.parts import Estimator

Array = np.ndarray


@dataclass(frozen=True)
class Forest(Estimator):
    """A random forest of `trees` trees.

    `max_features` is the share of columns tried at a split; None is the square root of their number for classes
    (Breiman) and half of them for values. `class_weights` in 0..1
    weighs a row of class k by count_k^-class_weights, with mean 1.
    """

    wants: ClassVar[str] = "ordinal"
    trees: int = knob(100, 1, 10_000)
    max_features: float | None = knob(None, 0.001, 1.0)
    min_samples_leaf: int = knob(3, 1, 10_000)
    class_weights: float = knob(0.0, 0.0, 1.0)

    def fit(
        self,
        x: Array,
        y: Array,
        task: str,
        classes: int,
        seed: int,
        categorical: Sequence[int] = (),
        weights: Array | None = None,
    ) -> FittedEstimator:
        """The forest grown on a matrix (n, features), NaN allowed."""
        from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

        regression = task == "regression"
        weighted = row_weights(y, task, self.class_weights, weights)
        if not regression and len(np.unique(y)) == 1:
            return Dummy().fit(x, y, task, classes, seed, weights=weighted)
        model = (RandomForestRegressor if regression else RandomForestClassifier)(
            n_estimators=self.trees,
            max_features=self.max_features or (0.5 if regression else "sqrt"),
            min_samples_leaf=self.min_samples_leaf,
            random_state=seed,
            n_jobs=1,
        )
        with training():
            model.fit(x, y, sample_weight=weighted)
        return flatten(
            [_tree(member.tree_) for member in model.estimators_],
            base=np.zeros(1 if regression else len(model.classes_)),
            seen=np.zeros(0) if regression else model.classes_,
            categorical={},
            features=x.shape[1],
            per_round=1,
            scale=1 / self.trees,
            link="identity",
            classes=0 if regression else classes,
        )


def _tree(tree: Any) -> Tree:
    """A scikit-learn tree; the values of a class tree are shares."""
    return Tree(
        feature=tree.feature,
        threshold=tree.threshold,
        left=tree.children_left,
        right=tree.children_right,
        missing_right=tree.missing_go_to_left == 0,
        values=tree.value[:, 0, :],
        split=np.full(tree.node_count, -1),
        codes=np.zeros((0, CODES), bool),
    )
