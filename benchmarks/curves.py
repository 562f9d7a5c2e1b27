"""Learning curves to replay stopping rules on: networks trained well past the point where they overfit.

Every run has a split of its own: half of the rows to learn from, a quarter held for the rules, a quarter to test on,
as in Prechelt 1998.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from common import found
from sklearn import datasets
from torch import Tensor

from steelyard.data.batches import Batch
from steelyard.data.prepare import TablePreparation
from steelyard.data.source import read
from steelyard.data.split import set_aside
from steelyard.knobs import Cosine, Knob
from steelyard.networks.tabular import TabularMlp
from steelyard.parts import Loss
from steelyard.problem import Problem, Task
from steelyard.recipe import Recipe
from steelyard.training.fleet import Fleet
from steelyard.training.losses import CrossEntropy, SquaredError
from steelyard.training.member import Member
from steelyard.training.optimizers import AdamW
from steelyard.training.start import begin, ready
from steelyard.training.stopping import Patience, Stopping

TESTED, HELD = 1 / 4, 1 / 3  # HELD is a share of the rows that are not tested on
ROWS = 1000  # of the larger sets, drawn anew for every run
WRONG = 0.1  # share of the digits that bear a label drawn at random
RATES: dict[str, Knob] = {"slow": 2e-4, "quick": 1e-3, "annealed": Cosine(1e-3, 0.0)}
TOGETHER = 10  # runs in one fleet
TESTING = 1000  # is added to the seed of a run to draw its test rows


@dataclass(frozen=True)
class Curve:
    """One run: per epoch the losses on train, held and test rows and, of classes, the error rate on the test rows."""

    data: str
    seed: int
    train: list[float] = field(default_factory=list)
    held: list[float] = field(default_factory=list)
    test: list[float] = field(default_factory=list)
    error: list[float] = field(default_factory=list)


# -- data sets ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Source:
    """A data set with its task; `frame` gives the rows of a run by the folder of the data sets and the seed."""

    task: Task
    frame: Callable[[Path, int], pd.DataFrame]


def digits(_: Path, seed: int) -> pd.DataFrame:
    """600 handwritten digits, a tenth of them with a label drawn at random."""
    frame = datasets.load_digits(as_frame=True).frame.sample(600, random_state=seed, ignore_index=True)
    random = np.random.default_rng(seed)
    drawn = random.integers(0, 10, len(frame))
    return frame.assign(target=np.where(random.random(len(frame)) < WRONG, drawn, frame["target"]))


def friedman(_: Path, seed: int) -> pd.DataFrame:
    """500 rows of Friedman's first synthetic regression."""
    x, y = datasets.make_friedman1(500, noise=1.0, random_state=seed)
    return pd.DataFrame(x).rename(columns=str).assign(target=y)


def heart(data: Path, _: int) -> pd.DataFrame:
    """Cleveland heart disease: 303 patients, sick or not."""
    frame = pd.read_csv(found(data, "heart-disease", "processed.cleveland.data"), header=None, na_values="?")
    return _last_as_target(frame).assign(target=lambda rows: (rows["target"] > 0).astype(int))


def adult(data: Path, seed: int) -> pd.DataFrame:
    """Adult census income."""
    path = found(data, "adult", "adult-train.csv")
    frame = pd.read_csv(path, header=None, na_values="?", skipinitialspace=True)
    return _last_as_target(_some(frame, seed))


def red_wine(data: Path, seed: int) -> pd.DataFrame:
    """The quality of red wines, marks from 3 to 8, as numbers."""
    return _last_as_target(_some(pd.read_csv(found(data, "wine", "winequality-red.csv"), header=None), seed))


def california(data: Path, seed: int) -> pd.DataFrame:
    """House prices of districts."""
    frame = _some(pd.read_csv(found(data, "california-housing", "housing.csv")), seed)
    return frame.rename(columns={"median_house_value": "target"})


def _some(frame: pd.DataFrame, seed: int) -> pd.DataFrame:
    return frame.sample(ROWS, random_state=seed, ignore_index=True)


def _last_as_target(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.rename(columns={frame.columns[-1]: "target"}).rename(columns=str)


SOURCES = {
    "digits": Source("multiclass", digits),
    "breast cancer": Source("binary", lambda data, seed: datasets.load_breast_cancer(as_frame=True).frame),
    "wine": Source("multiclass", lambda data, seed: datasets.load_wine(as_frame=True).frame),
    "diabetes": Source("regression", lambda data, seed: datasets.load_diabetes(as_frame=True).frame),
    "friedman": Source("regression", friedman),
    "heart": Source("binary", heart),
    "adult": Source("binary", adult),
    "red wine": Source("regression", red_wine),
    "california": Source("regression", california),
}


# -- training ---------------------------------------------------------------------------------------------------


def recipe(task: Task, epochs: int, rate: str) -> Recipe:
    """A plain multilayer perceptron without any regularisation, watched to the end."""
    return Recipe(
        TablePreparation(),
        network=TabularMlp(width=64, depth=2),
        loss=SquaredError() if task == "regression" else CrossEntropy(),
        optimizer=AdamW(lr=RATES[rate], weight_decay=0.0),
        batch=Batch(32),
        stopping=Stopping(epochs, rule=Patience(epochs), held=HELD),
    )


def grown(name: str, data: Path, seeds: Sequence[int], epochs: int, rate: str) -> list[Curve]:
    """The curves of some runs on one data set; raises Missing where it is not on this machine."""
    curves = [Curve(name, seed) for seed in seeds]
    for begins in range(0, len(seeds), TOGETHER):
        few = curves[begins : begins + TOGETHER]
        _train(few, [_run(name, data, curve.seed, epochs, rate) for curve in few])
    return curves


@dataclass(frozen=True, eq=False)
class Run:
    """A member of a fleet, and prepared rows to test it on: inputs (n, …) and targets (n, outputs)."""

    member: Member
    loss: Loss
    inputs: tuple[Tensor, ...]
    targets: Tensor


def _run(name: str, data: Path, seed: int, epochs: int, rate: str) -> Run:
    task = SOURCES[name].task
    dataset = read(SOURCES[name].frame(data, seed), "target", task=task)
    problem = Problem(task, "tabular", "target", len(dataset), dataset.classes, "")
    kept, tested = (dataset.take(rows) for rows in set_aside(dataset, TESTED, TESTING + seed))
    plan = recipe(task, epochs, rate)
    rows = ready(plan, kept, problem, seed)
    _, member = begin(plan, rows, kept, problem, seed)
    assert plan.loss is not None and tested.target is not None
    inputs = tuple(torch.from_numpy(values) for values in rows.prepared.transform(tested))
    if rows.scale is None:
        return Run(member, plan.loss, inputs, torch.eye(problem.outputs)[torch.from_numpy(tested.target)])
    values = rows.scale.forward(tested.target).astype(np.float32)
    return Run(member, plan.loss, inputs, torch.from_numpy(values).unsqueeze(1))


def _train(curves: Sequence[Curve], runs: Sequence[Run]) -> None:
    """Train the runs to their end and note every epoch in the curves."""
    fleet = Fleet([run.member for run in runs])
    for epochs in fleet:
        outputs = fleet.look({epoch.member: runs[epoch.member].inputs for epoch in epochs})
        for epoch in epochs:
            curve, run, said = curves[epoch.member], runs[epoch.member], outputs[epoch.member]
            assert epoch.held_loss is not None, "every run is watched"
            curve.train.append(epoch.train_loss)
            curve.held.append(epoch.held_loss)
            curve.test.append(float(run.loss.per_example(said, run.targets, 1.0).mean()))
            if said.shape[1] > 1:
                curve.error.append(float((said.argmax(1) != run.targets.argmax(1)).float().mean()))


# -- keeping ------------------------------------------------------------------------------------------------------


def save(rate: str, curves: Sequence[Curve], file: Path) -> None:
    """Write the curves of runs with a learning rate as JSON, to replay without training again."""
    file.write_text(json.dumps({"rate": rate, "curves": [asdict(curve) for curve in curves]}), encoding="utf-8")


def load(file: Path) -> tuple[str, list[Curve]]:
    """The learning rate and the curves that `save` wrote."""
    given = json.loads(file.read_text(encoding="utf-8"))
    return given["rate"], [Curve(**curve) for curve in given["curves"]]
