"""The record of a run's learning curves: of all rows, and of the rows of single classes."""

from dataclasses import dataclass

from steelyard.diagnosis.learning_curve import LearningCurve


@dataclass(frozen=True)
class ClassGrowth:
    """What more rows of the class `name` would do, all other rows staying: to the share of its rows that are taken for
    others (`own`), and to the error on all rows (`whole`)."""

    name: str
    own: LearningCurve
    whole: LearningCurve


@dataclass(frozen=True)
class Growth:
    """The learning curves of `model` in the error `unit`, measured on so many `dev` rows (in `folds` parts, or one).

    `whole` is None where a curve could not be measured, for that `reason`. It is `complete` when it reaches all train
    rows.
    """

    target: str
    model: str
    unit: str
    dev: int
    folds: int
    whole: LearningCurve | None
    classes: tuple[ClassGrowth, ...] = ()
    reason: str = ""
    complete: bool = False
    seconds: float = 0.0
    output: str = ""
    command: str = ""
