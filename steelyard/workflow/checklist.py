"""When nothing beats the dumb baseline: walk the checklist of the universal workflow and say what each point found.

What is wrong with the network's training program the doctor says, as of any other program.
"""

from typing import Any

import numpy as np

from steelyard.classical import DUMB, Linear
from steelyard.classical.several import fit
from steelyard.data.prepared import Prepared
from steelyard.doctor import examine
from steelyard.problem import Problem
from steelyard.recipe import Recipe
from steelyard.training.optimizers import Rmsprop
from steelyard.training.scale import in_units, learnt, scale_of
from steelyard.trials.arms import FULL, Tried
from steelyard.trials.measure import one_thread_here
from steelyard.weighing.comparison import Comparison
from steelyard.workflow.bench import Bench
from steelyard.workflow.families import families
from steelyard.workflow.program import program_of

ROWS = 2_000
SECONDS, SHARE, LEAST = 20.0, 0.3, 1.0  # for the doctor: at most, of the time left, at least


def walk(bench: Bench, best: Tried, power: Comparison) -> None:
    """Say that there is no power, then what was checked: the training program, optimizer, the target as an input."""
    say = bench.say
    say(
        "baseline",
        f"no statistical power: the best family ({best.recipe.family}) differs from the dumb baseline by "
        f"{power.effect:.4g} (95 % interval {power.low:.4g} to {power.high:.4g})",
    )
    recipes = families(bench.problem, bench.pool.schema, bench.train_rows, bench.settings)
    network = next(recipe for recipe in recipes if recipe.network is not None)
    output = _output(bench.problem)
    loss = network.loss.kind if network.loss else ""
    say(
        "baseline",
        f"checked last activation and loss: the output is {output}, the loss {loss}; {_doctors(bench, network)}",
    )
    found = bench.try_arms([(network.with_part("optimizer", Rmsprop()), (0,), FULL)])[0]
    if found is not None:
        score = bench.score(found)
        say("baseline", f"checked the optimizer: with RMSprop at its default rate the network scores {score.value:.4g}")
    learnt = target_as_input(bench)
    if learnt:
        say(
            "baseline",
            f"checked the plumbing: with the target as an input a linear model scores {learnt[0]:.4g}: {learnt[1]}",
        )
    say(
        "baseline",
        "left to check: do the targets belong to their rows, are the telling columns given, are there enough rows?",
    )


def _doctors(bench: Bench, recipe: Recipe) -> str:
    """What the doctor says of the training program of a network."""
    if (seconds := min(SECONDS, SHARE * bench.left())) < LEAST:
        return "there was no time for the doctor"
    train, dev = bench.protocol.split(0, 0)
    with one_thread_here():
        program = program_of(recipe, bench.pool.take(train[:ROWS]), bench.pool.take(dev[:ROWS]), bench.problem, 0)
        found = examine(**program.parts(), time_limit=seconds)
    if found.healthy:
        return f"the doctor finds nothing wrong with them ({len(found.passed)} checks)"
    grave = [f"{each.code} {each.title.lower()} ({each.saw})" for each in found.findings if each.severity != "tip"]
    return f"the doctor finds: {'; '.join(grave)}"


def _output(problem: Problem) -> str:
    """The last activation, in words."""
    if problem.task == "multilabel":
        return f"a sigmoid for each of {problem.outputs} labels"
    if problem.heads:
        return f"{problem.outputs} numbers: linear for values, a softmax over the classes of each other target"
    return f"a softmax over {problem.outputs} classes" if problem.classes else "linear, for values"


def target_as_input(bench: Bench) -> tuple[float, str] | None:
    """The score of a linear model that is given the target as an input, on rows it has not seen, and what that says."""
    train, dev = bench.protocol.split(0, 0)
    train, dev = train[:ROWS], dev[:ROWS]
    truth, problem = bench.truth, bench.problem
    recipes = families(bench.problem, bench.pool.schema, len(train))
    part = next(recipe.prepare for recipe in recipes if recipe.family not in DUMB)
    prepared: Prepared = part.fit(bench.pool.take(train))
    scale = scale_of(problem, truth, False)
    known = np.nan_to_num(learnt(problem, scale, truth).numpy().astype(float))
    known = (known - known[train].mean(0)) / (known[train].std(0) + 1e-9)
    x = [_beside(prepared.matrix(bench.pool.take(rows)), known[rows]) for rows in (train, dev)]
    target = truth[train] if scale is None else scale.forward(truth[train])
    fitted = fit(Linear(l2=1e-3), x[0], target, problem, 0)
    score = bench.metric(truth[dev], in_units(problem, scale, fitted.predict(x[1])), bench.pool.weights_of(dev))
    dumb = bench.record.baseline
    gained = dumb is not None and bench.metric.better(score, dumb.value)
    return (
        score,
        "it is learnt, the inputs carry no signal" if gained else "it is not learnt: the rows are mixed up",
    )


def _beside(matrix: Any, columns: np.ndarray) -> Any:
    """Columns put beside a matrix, which may be sparse."""
    from scipy import sparse

    if sparse.issparse(matrix):
        return sparse.hstack([matrix, columns], format="csr", dtype=np.float32)
    return np.hstack([matrix, columns]).astype(np.float32)
