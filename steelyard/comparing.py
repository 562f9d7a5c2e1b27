"""The Python face of weighing: techniques on a run's data, and arms that one brings."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from steelyard.errors import UserError
from steelyard.metrics import Metric
from steelyard.metrics import metric as metric_named
from steelyard.runs import Run, settings_of
from steelyard.weighing.compare import LOOKS, compared, judge
from steelyard.weighing.comparison import Comparison, Weighing
from steelyard.weighing.crossed import crossed, differences_of
from steelyard.workflow.weighing import Question
from steelyard.workflow.weighing import weigh as carry_out

Watch = Callable[[Any], None]
SCORES = "scores"


def weigh(
    what: str | Sequence[str],
    run: Run | str | Path,
    *,
    against: str | None = None,
    settings: dict[str, Any] | None = None,
    seeds: int = LOOKS[-1],
    time_limit: float | None = None,
    metric: str | None = None,
    matters: float | None = None,
    slices: Sequence[str] = (),
    seed: int | None = 0,
    output: str | Path | None = None,
    jobs: int | None = None,
    device: str = "auto",
    watch: Watch = lambda _: None,
    network: Any = None,
) -> Comparison | Weighing:
    """Weigh techniques on the data of a run: the effect of each over paired seeds, with its interval and verdict.

    `what` is a technique ("mixup"), a knob ("optimizer.lr=0.001"), edits joined by "+" ("mixup+label-smoothing", whose
    interaction is then told), the TOML file of a recipe, or "all" for the whole catalogue. One name (but "all") gives a
    Comparison, several a Weighing, which holds one for each. `against` is a recipe's TOML file or the name of a family;
    default: the run's own model. `settings` hold in the base and in every arm. At most `seeds` pairs and `time_limit`
    seconds (default: 600) are spent; `matters` is the smallest effect worth having, in the metric's own unit (default:
    half a standard error of a dev score). `slices` name columns whose values are looked at one by one. `seed` is that
    of the first pair; None draws one. The page is weighing.html in `output` (default: in the folder of the run). The
    same call again trains nothing twice. A run of a `network` of your own needs it named again. Raises UserError.
    """
    names = (what,) if isinstance(what, str) else tuple(what)
    known = run if isinstance(run, Run) else None
    question = Question(
        names,
        against,
        settings_of(settings),
        seeds,
        time_limit,
        metric,
        matters,
        tuple(slices),
        seed,
        None if output is None else Path(output),
        jobs,
        device,
        f"steelyard.weigh({what!r}, ...)",
        network if network is not None or known is None else known.network,
    )
    folder = known.folder if known else Path(str(run))
    found = carry_out(question, folder, known.ask if known else None, watch)
    return found[names[0]] if isinstance(what, str) and what in {c.name for c in found.comparisons} else found


def compare(
    scores_a: Any,
    scores_b: Any,
    *,
    truth: Any = None,
    metric: str | Metric | None = None,
    matters: float = 0.0,
    greater_is_better: bool = True,
    looks: Sequence[int] = (),
) -> Comparison:
    """Is B better than A? From what any framework predicted or scored, paired by position.

    Without `truth`, two arrays of scores: (pairs, examples), say 0/1 for wrong and right, with one row a training; or
    (pairs,), one score a training, where the examples are taken as given and only trainings as a sample. With `truth`
    (examples,), predictions: class codes or values (pairs, examples), or probabilities (pairs, examples, classes),
    scored by `metric` (scikit-learn's name). A single training may leave the first axis out: then only the examples
    vary, and nothing is known of other trainings. `looks`: the numbers of pairs at which you look or have looked.
    Effects are B - A. Method: `steelyard.weighing.crossed`. Raises UserError for arrays that do not match.
    """
    a, b = (np.asarray(each, dtype=float) for each in (scores_a, scores_b))
    if a.shape != b.shape or not a.size:
        raise UserError(f"the arms are paired by position, so their shapes must be equal: got {a.shape} and {b.shape}")
    if not (np.isfinite(a).all() and np.isfinite(b).all()):
        raise UserError("scores and predictions must be finite numbers: leave pairs out that diverged, in both arms")
    planned = tuple(sorted(set(looks)))
    if truth is None:
        return _of_scores(a, b, matters, 1 if greater_is_better else -1, planned)
    return _of_predictions(a, b, np.asarray(truth), metric, matters, planned)


def _of_scores(a: np.ndarray, b: np.ndarray, matters: float, sign: int, looks: tuple[int, ...]) -> Comparison:
    if a.ndim == 1 and len(a) < 2:
        raise UserError("one score an arm says nothing: give one a training, or one an example of each training")
    if a.ndim > 2:
        raise UserError(f"scores are (pairs,) or (pairs, examples), got {a.shape}; predictions need truth=…")
    differences = np.atleast_2d(b - a) if a.ndim == 2 else (b - a)[:, None]
    found = crossed(differences)
    means = (each.reshape(len(each), -1).mean(axis=1).tolist() for each in (a, b))
    pairs = tuple(zip(*means, strict=True))
    like = replace(metric_named("accuracy" if sign > 0 else "log_loss"), name=SCORES)
    return compared("B", "A", like, pairs, found, judge(found, sign, matters, looks), matters)


def _of_predictions(
    a: np.ndarray, b: np.ndarray, truth: np.ndarray, named: str | Metric | None, matters: float, looks: tuple[int, ...]
) -> Comparison:
    if named is None:
        raise UserError("name the metric that scores predictions, as metric='accuracy' or metric='rmse'")
    measure = metric_named(named) if isinstance(named, str) else named
    values = measure.needs == "values"
    one = a.ndim == 1 or (a.ndim == 2 and not values and a.shape[0] == len(truth) != a.shape[1])
    arms = [each[None] if one else each for each in (a, b)]
    if arms[0].shape[1] != len(truth):
        wanted = f"(pairs, {len(truth)})" if values else f"(pairs, {len(truth)}) or (pairs, {len(truth)}, classes)"
        raise UserError(f"predictions of the {len(truth)} examples in truth are {wanted}, got {a.shape}")
    if not values:
        truth = truth.astype(int)
        if arms[0].ndim == 2:
            if measure.needs == "probabilities":
                raise UserError(f"{measure.name} needs probabilities (pairs, examples, classes), got codes {a.shape}")
            count = int(max(truth.max(), *(each.max() for each in arms))) + 1
            arms = [np.eye(count)[each.astype(int)] for each in arms]
    found = crossed(differences_of(measure, [truth] * len(arms[0]), list(arms[0]), list(arms[1])))
    pairs = tuple((measure(truth, x), measure(truth, y)) for x, y in zip(*arms, strict=True))
    return compared("B", "A", measure, pairs, found, judge(found, measure.sign, matters, looks), matters)
