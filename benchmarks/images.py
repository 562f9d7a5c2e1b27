"""Steelyard on images: Fashion-MNIST, five kinds of flowers against linear models of their pixels, the digits demo."""

import json
import sys
from argparse import Namespace
from pathlib import Path

import numpy as np
from common import Figure, Ran, finished, found, main, same_rows, steelyard
from PIL import Image
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from steelyard.data.dataset import Dataset

LIMIT, DEMO_LIMIT, DEMO_WALL, QUICK_LIMIT = 600.0, 120.0, 180.0, 30.0
FASHION, DIGITS = 0.915, 0.975
SIDES = (16, 32)  # pixels the linear references see
PENALTIES = (1.0, 0.01, 0.0001)  # scikit-learn's C, from its default on


def fashion(options: Namespace, folder: Path) -> Figure:
    """Fashion-MNIST from its zip of PNG files, tested on its own 10,000 test images."""
    ran = steelyard(found(options.data, "fashion-mnist", "fashion_mnist_images.zip"), _limit(options), folder / "run")
    return _figure("fashion", ran, None, "", {f"accuracy >= {FASHION}": ran.score >= FASHION})


def flowers(options: Namespace, folder: Path) -> Figure:
    """4,317 photographs of five kinds of flowers: the whole interval must lie above the best linear model."""
    source = found(options.data, "flowers5", "flowers.zip")
    ran = steelyard(source, _limit(options), folder / "run")
    linear = _linear(*same_rows(source, None, 0))
    best = max(linear, key=lambda name: linear[name])
    goals = {"interval above the best linear model": ran.answer["test"]["interval"][0] > linear[best]}
    return _figure("flowers", ran, linear[best], f"logistic regression, {best}", goals, {"linear": linear})


def digits(options: Namespace, folder: Path) -> Figure:
    """The demo: scikit-learn's 1,797 digits."""
    limit = float(options.time_limit or (QUICK_LIMIT if options.quick else DEMO_LIMIT))
    run = folder / "run"
    code = f"from pathlib import Path; from steelyard.demo import main; main({limit}, Path({str(run)!r}))"
    ran = finished(["-c", code], limit, run, lambda _: _stored(run))
    goals = {f"accuracy >= {DIGITS}": ran.score >= DIGITS, f"in {DEMO_WALL:g} s": ran.wall <= DEMO_WALL}
    return _figure("digits", ran, None, "", goals)


BENCHMARKS = {each.__name__: each for each in (fashion, flowers, digits)}


def _figure(
    name: str, ran: Ran, reference: float | None, by: str, goals: dict[str, bool], more: dict[str, object] | None = None
) -> Figure:
    test, winner = ran.answer["test"], str(ran.answer["winner"]["family"])
    interval = (test["interval"][0], test["interval"][1])
    metric = str(ran.answer["metric"])
    return Figure(name, metric, ran.score, interval, reference, by, winner, (ran,), goals, more or {})


def _stored(folder: Path) -> dict[str, object]:
    """The answer of a run that printed none: the one `--json` would have given."""
    from steelyard.report.plain import answer
    from steelyard.runs import load

    return dict(json.loads(json.dumps(answer(load(folder).record))))


def _limit(options: Namespace) -> float:
    return float(options.time_limit or LIMIT)


# -- references ---------------------------------------------------------------------------------------------------


def _linear(train: Dataset, test: Dataset) -> dict[str, float]:
    """Test accuracy of logistic regression on pixels for each size, at the penalty that does best on test itself.

    That is more than a linear model could honestly reach: a reference that errs on the high side.
    """
    assert train.target is not None and test.target is not None
    found: dict[str, float] = {}
    for side in SIDES:
        pixels, unseen = _pixels(train, side), _pixels(test, side)
        for c in PENALTIES:
            model = make_pipeline(StandardScaler(), LogisticRegression(C=c, max_iter=1000, tol=1e-3))
            score = float(model.fit(pixels, train.target).score(unseen, test.target))
            found[f"{side} × {side}"] = max(score, found.get(f"{side} × {side}", 0.0))
    return found


def _pixels(dataset: Dataset, side: int) -> np.ndarray:
    """Pixels (n, side · side · channels) averaged over areas."""
    assert dataset.images is not None
    images = (Image.fromarray(image.squeeze()) for image in dataset.images)
    return np.stack(
        [np.asarray(image.resize((side, side), Image.Resampling.BOX), np.float32).ravel() for image in images]
    )


if __name__ == "__main__":
    sys.exit(main(__doc__, BENCHMARKS, list(BENCHMARKS), lambda _: ["digits"]))
