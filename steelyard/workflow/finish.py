"""Step 8: blend what complements each other, train the winner on train + dev, open the test once."""

import hashlib
import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from steelyard.diagnosis.errors import with_test
from steelyard.diagnosis.mistakes import confusion, residuals, worst
from steelyard.finish.ensemble import Ensemble, blend, load_predictor
from steelyard.metrics import METRICS
from steelyard.problem import Score
from steelyard.recipe import Recipe
from steelyard.records import Arm
from steelyard.training.model import load
from steelyard.trials.arms import FULL, Tried, gather
from steelyard.trials.trial import Outcome, Trial
from steelyard.weigh.compare import probability_better
from steelyard.weigh.interval import score_of
from steelyard.workflow.bench import CLOSING, Bench
from steelyard.workflow.incumbent import Incumbent, recipe_for
from steelyard.workflow.regularise import diagnose
from steelyard.workflow.say import plainly, ranked, score_text

SURE = 0.9  # a blend is taken when it beats the best single arm in this share of resamples
MEMBERS = 4  # seeds of a network in the final model, if there is time
HOPE = 1.3  # training at full size may be faster than small trials foretold; if it is not, the clock ends it
MARGIN = 0.92  # of the time left that a time-bounded final training may take


@dataclass(frozen=True)
class Choice:
    """The arms the final model is made of, their weights, and what they predict together on dev."""

    arms: tuple[Tried, ...]
    weights: tuple[float, ...]
    rows: np.ndarray
    dev: np.ndarray


def finish(bench: Bench, incumbents: list[Incumbent], others: list[Tried]) -> None:
    """The final model, its test score and all that the page shows of it."""
    usable = [i for i in incumbents if not bench.broken(i.tried)]
    full = [t for t in (*(i.tried for i in usable), *others) if t.size.full and not bench.broken(t)]
    if not usable and not full:
        bench.say("finish", "no model keeps the constraints: " + "; ".join(bench.broken(incumbents[0].tried)))
        shutil.rmtree(bench.folder / "model", ignore_errors=True)
        bench.update(winner={}, finished=True)
        return
    if usable and not usable[0].tried.size.full:
        choice, outcomes, weights = _confirm(bench, usable[0], full)
    else:
        choice = choose(bench, full)
        outcomes, weights = _refit(bench, choice)
    if outcomes:
        _install(bench, choice, outcomes, weights)
    _show(bench, choice)
    _open_test(bench)


def choose(bench: Bench, arms: list[Tried]) -> Choice:
    """The best single arm, or a blend of arms when that is surely better on dev and keeps the constraints."""
    arms = ranked(bench, arms)
    rows, truth = arms[0].rows[0], bench.truth[arms[0].rows[0]]
    means = [_as_final(t) for t in arms]
    alone = Choice((arms[0],), (1.0,), rows, means[0])
    if len(arms) == 1:
        return alone
    weights = blend(bench.metric, truth, means)
    together = np.asarray(np.sum([w * m for w, m in zip(weights, means, strict=True)], axis=0))
    used = [i for i, weight in enumerate(weights) if weight > 0]
    if len(used) == 1 or _breaks_together(bench, [arms[i] for i in used]) or _breaks_floor(bench, truth, together):
        return alone
    sure = probability_better(bench.metric, truth, means[0], together)
    names = " + ".join(f"{weights[i]:.2f} {arms[i].recipe.family}" for i in used)
    score = score_text(score_of(bench.metric, truth, together))
    if sure < SURE:
        bench.say(
            "finish", f"a blend ({names}: {score}) is better in {sure:.0%} of resamples: not sure enough, left out"
        )
        return alone
    bench.say("finish", f"a blend of {names} scores {score} on dev, better than one model in {sure:.0%} of resamples")
    return Choice(tuple(arms[i] for i in used), tuple(float(weights[i]) for i in used), rows, together)


def _as_final(tried: Tried) -> np.ndarray:
    """What an arm predicts on dev as it will be in the final model: networks with several seeds, the rest with one."""
    seeds = MEMBERS if tried.recipe.network is not None else 1
    return np.asarray(np.mean(tried.dev[:seeds], axis=0))


def _breaks_together(bench: Bench, arms: list[Tried]) -> bool:
    """Whether the sum of what the arms cost breaks a constraint."""
    for constraint in bench.problem.constraints:
        costs = [t.measured.get(constraint.name) for t in arms]
        if None not in costs and not constraint.kept(float(np.sum([c for c in costs if c is not None]))):
            return True
    return False


def _breaks_floor(bench: Bench, truth: np.ndarray, predictions: np.ndarray) -> bool:
    """Whether what is predicted on dev breaks a constraint on another metric."""
    floors = [c for c in bench.problem.constraints if c.name in METRICS]
    return not all(c.kept(METRICS[c.name](truth, predictions)) for c in floors)


# -- trained on train + dev -----------------------------------------------------------------------------------


def _refit(bench: Bench, choice: Choice) -> tuple[list[Outcome], list[float]]:
    """Train the chosen arms on all rows outside test, networks with several seeds; their outcomes and weights."""
    seeds = [_members(bench, tried) for tried in choice.arms]
    if _breaks_together(bench, [tried for tried, count in zip(choice.arms, seeds, strict=True) for _ in range(count)]):
        seeds = [1] * len(choice.arms)
    wanted = [
        (Trial(tried.recipe, seed, fold=None), weight / count)
        for tried, weight, count in zip(choice.arms, choice.weights, seeds, strict=True)
        for seed in range(count)
    ]
    wanted.sort(key=lambda each: each[0].seed)  # one of each first, should the time run out
    outcomes = bench.run(
        [trial for trial, _ in wanted],
        None if bench.ask.seconds is None else bench.ask.seconds - CLOSING / 2,
        models=True,
    )
    done = [(o, w) for o, (_, w) in zip(outcomes, wanted, strict=True) if o.done]
    if not done:
        bench.say("finish", "no time was left to train on train + dev: the model is the one trained on train")
        return [tried.outcomes[0] for tried in choice.arms], list(choice.weights)
    total = sum(weight for _, weight in done)
    bench.say("finish", f"trained on train + dev ({len(bench.pool)} rows), {len(done)} models")
    return [o for o, _ in done], [w / total for _, w in done]


def _members(bench: Bench, tried: Tried) -> int:
    """How many seeds of an arm the final model holds: one of a classical model, several of a network if time allows."""
    if tried.recipe.network is None:
        return 1
    if bench.ask.seconds is None:
        return 2
    seconds = bench.ask.seconds - CLOSING - bench.clock.now()
    each = bench.costs.predict(tried.recipe, len(bench.pool)) * 1.1
    afford = int(seconds * bench.executor.jobs / max(each, 1e-6))
    return int(bench.once(f"members {tried.recipe.key}", lambda: max(1, min(MEMBERS, afford))))


# -- confirmed at full size -----------------------------------------------------------------------------------


def _confirm(bench: Bench, leader: Incumbent, full: list[Tried]) -> tuple[Choice, list[Outcome], list[float]]:
    """Where a full training is dear: what was kept is trained once at full size beside the plain recipe.

    The two run side by side, each annealed to end in time; the better one, or both together, is the final model.
    """
    kept, plain = (recipe_for(bench, leader.family, edits, bench.train_rows) for edits in (leader.edits, ()))
    timed, timed_plain = _timed(bench, kept), _timed(bench, plain)
    trials = [Trial(timed, 0)]
    if bench.executor.jobs > 1 or bench.ask.seconds is None:
        trials.append(Trial(timed_plain, 0 if timed_plain != timed else 1))
    outcomes = bench.run(trials, None if bench.ask.seconds is None else bench.ask.seconds - CLOSING / 2, models=True)
    tried = [gather(o.trial.recipe, FULL, [o], 1, bench.executor) for o in outcomes]
    arms = [t for t in tried if t is not None and not bench.broken(t)] + full
    if not arms:
        bench.say("finish", "no training at full size ended in time: the best smaller one stays")
        small = leader.tried
        return Choice((small,), (1.0,), small.rows[0], small.dev[0]), [], []
    words = "; ".join(f"{n} {plainly(bench, t)}" for n, t in zip(("kept", "plain"), tried, strict=False) if t)
    bench.say("finish", f"confirmed at full size ({bench.train_rows} rows): {words}")
    choice = choose(bench, arms)
    weights = {id(t): w for t, w in zip(choice.arms, choice.weights, strict=True)}
    return choice, [t.outcomes[0] for t in choice.arms], [weights[id(t)] for t in choice.arms]


def _timed(bench: Bench, recipe: Recipe) -> Recipe:
    """The recipe with as many epochs as may fit into the time left, and a clock that anneals it in time."""
    if bench.ask.seconds is None or recipe.stopping is None:
        return recipe
    left = (bench.ask.seconds - CLOSING - bench.clock.now()) * MARGIN
    seconds = float(bench.once("final seconds", lambda: round(max(1.0, left), 1)))
    wanted = int(recipe.get("stopping.epochs"))
    per_epoch = bench.costs.predict(recipe, bench.train_rows) / wanted
    fitting = bench.once(f"final epochs {recipe.key}", lambda: max(1, min(2 * wanted, int(seconds * HOPE / per_epoch))))
    return recipe.set("stopping.epochs", int(fitting)).set("stopping.seconds", seconds)


# -- the model, the test, the page's matter --------------------------------------------------------------------


def _install(bench: Bench, choice: Choice, outcomes: list[Outcome], weights: list[float]) -> None:
    """Write the final model and record the winner."""
    final = bench.folder / "models" / "final"
    shutil.rmtree(final, ignore_errors=True)
    there = bench.run([o.trial for o in outcomes], float("inf"), models=True)  # a finished run drops its trials' models
    members = tuple(load(bench.executor.model(o)) for o in there)
    Ensemble(members, tuple(weights)).save(final)
    score = score_of(bench.metric, bench.truth[choice.rows], choice.dev)
    family = " + ".join(dict.fromkeys(t.recipe.family for t in choice.arms))
    bench.install(final, family, score)
    bench.update(
        dev=score,
        winner={
            "family": family,
            "recipe": choice.arms[0].recipe.to_dict(),
            "members": [
                {"family": o.trial.recipe.family, "weight": w, "seed": o.trial.seed}
                for o, w in zip(outcomes, weights, strict=True)
            ],
            "recipes": [t.recipe.to_dict() for t in choice.arms],
        },
    )
    for number, tried in enumerate(choice.arms):
        name = "recipe.toml" if number == 0 else f"recipe-{number + 1}.toml"
        (bench.folder / name).write_text(tried.recipe.to_toml(), encoding="utf-8")


def _show(bench: Bench, choice: Choice) -> None:
    """What the page shows of the final choice on dev: confusion or residuals, the worst mistakes, the error table."""
    truth, score = bench.truth[choice.rows], score_of(bench.metric, bench.truth[choice.rows], choice.dev)
    final = Arm(
        "final",
        bench.record.winner.get("family", choice.arms[0].recipe.family),
        score,
        choice.arms[0].seconds,
        bench.train_rows,
    )
    bench.update(
        dev=score,
        ladder=(*bench.record.ladder, final),
        confusion=confusion(bench.problem, truth, choice.dev),
        residuals=residuals(bench.problem, truth, choice.dev),
        mistakes=worst(bench.problem, bench.pool, choice.rows, choice.dev),
        errors=diagnose(bench, choice.arms[0]),
    )


def _open_test(bench: Bench) -> None:
    """Break the seal, score the final model, record it."""
    if not len(bench.sealed):
        bench.say("finish", "there are no test rows")
        return
    name = f"test {bench.metric.name} {bench.ask.seed} {_digest(bench.folder / 'model')}"
    if (known := bench.journal.fact(name)) is None:
        test = bench.sealed.open("steelyard run", bench.journal.open_test)
        assert test.target is not None
        found = score_of(bench.metric, test.target, load_predictor(bench.folder / "model").predict(test))
        bench.journal.set_fact(name, known := list(vars(found).values()))
    score = Score(*known)
    openings = len(bench.journal.openings())
    bench.update(test=score, test_openings=openings)
    assert bench.record.errors is not None
    bench.update(errors=with_test(bench.record.errors, bench.problem, score))
    times = "once" if openings == 1 else f"{openings} times: the score is no longer that of unseen data"
    bench.say(
        "finish",
        f"{bench.problem.metric} on the sealed test ({score.examples} rows): {score_text(score)}; opened {times}",
    )


def _digest(folder: Path) -> str:
    """A hash of the model in a folder: the sealed test is not opened twice for the same one."""
    digest = hashlib.sha256()
    for file in sorted(f for f in folder.rglob("*") if f.is_file() and f.name != "README.md"):
        digest.update(file.read_bytes())
    return digest.hexdigest()[:20]


def tidy(folder: Path) -> None:
    """Drop the models of single trials; their predictions stay."""
    shutil.rmtree(folder / "models", ignore_errors=True)
