"""Step 8: blend what complements each other, train the winner on train + dev, open the test once."""

import hashlib
import shutil
from pathlib import Path

import numpy as np

from steelyard.diagnosis.errors import error_metric
from steelyard.diagnosis.levels import as_error
from steelyard.diagnosis.mistakes import confusion, course, residuals, worst
from steelyard.diagnosis.several import target_rows
from steelyard.finish.ensemble import Ensemble, load_predictor
from steelyard.problem import Score
from steelyard.records import Arm
from steelyard.training.model import load
from steelyard.trials.arms import FULL, Tried
from steelyard.trials.deciding import with_mean_shift
from steelyard.trials.predictions import Predictions
from steelyard.weighing.interval import score_of
from steelyard.workflow.bench import Bench
from steelyard.workflow.blend import Choice, choose, on_train_dev
from steelyard.workflow.dev_wear import note_wear
from steelyard.workflow.error_table import table_of
from steelyard.workflow.final_training import Final, confirm, refit
from steelyard.workflow.incumbent import Incumbent, recipe_for
from steelyard.workflow.say import score_text


def finish(bench: Bench, incumbents: list[Incumbent], others: list[Tried]) -> None:
    """The final model, its test score and all that the page shows of it."""
    if bench.protocol.folds > 1:
        incumbents = [i if i.tried.size.full else _at_full_size(bench, i) for i in incumbents]
    usable = [i for i in incumbents if not bench.broken(i.tried)]
    measured = [*(i.full for i in incumbents if i.full), *others]
    full = [t for t in measured if t.size.full and not bench.broken(t)]
    if not usable and not full:
        bench.say("finish", "no model keeps the constraints: " + "; ".join(bench.broken(incumbents[0].tried)))
        shutil.rmtree(bench.folder / "model", ignore_errors=True)
        bench.update(winner={}, finished=True)
        return
    if usable and not usable[0].tried.size.full and bench.protocol.folds == 1:
        final = confirm(bench, usable[0], full)
    else:
        final = refit(bench, choose(bench, full or [usable[0].tried]))
    _install(bench, final)
    _show(bench, final.choice)
    note_wear(bench, final.choice)
    _open_test(bench)


def _at_full_size(bench: Bench, incumbent: Incumbent) -> Incumbent:
    """What was kept in a small study, measured once on all rows if there is time."""
    recipe = recipe_for(bench, incumbent.family, incumbent.edits, bench.train_rows)
    found = bench.try_arms([(recipe, (0,), FULL)])[0]
    return incumbent.improved(incumbent.edits, found) if found else incumbent


def _install(bench: Bench, made: Final) -> None:
    """Write the final model and record the winner."""
    choice, outcomes, weights = made.choice, made.outcomes, made.weights
    final = bench.folder / "models" / "final"
    shutil.rmtree(final, ignore_errors=True)
    there = bench.run([o.trial for o in outcomes], float("inf"), models=True)  # a finished run drops its trials' models
    shifts = {t.recipe: [o.shift for o in t.outcomes] for t in choice.arms}  # of thresholds, tuned on dev
    members = tuple(with_mean_shift(load(bench.executor.model(o)), shifts.get(o.trial.recipe, [])) for o in there)
    Ensemble(members, tuple(weights)).save(final)
    score = score_of(bench.metric, bench.truth[choice.rows], choice.dev, bench.pool.weights_of(choice.rows))
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
    truth = bench.truth[choice.rows]
    found = _remembered(bench, choice)
    score = score_of(bench.metric, truth, choice.dev, bench.pool.weights_of(choice.rows))
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
        course=course(bench.pool, choice.rows, choice.dev),
        targets=target_rows(bench.problem, truth, choice.dev, bench.pool.weights_of(choice.rows)),
        mistakes=worst(bench.problem, bench.pool, choice.rows, choice.dev),
        errors=table_of(bench, found),
    )


def _remembered(bench: Bench, choice: Choice) -> Predictions:
    """Keep what the chosen arms predict together: every diagnosis asks for it."""
    rows, train = choice.arms[0].train_rows[0], np.asarray(choice.arms[0].train[0], dtype=float)
    if all(np.array_equal(rows, tried.train_rows[0]) for tried in choice.arms):
        train = np.sum([w * tried.train[0] for w, tried in zip(choice.weights, choice.arms, strict=True)], axis=0)
    found = Predictions(choice.rows, choice.dev, rows, train, *on_train_dev(choice))
    found.save(bench.executor.final_predictions)
    return found


def _open_test(bench: Bench) -> None:
    """Break the seal, score the final model, record it."""
    if not len(bench.sealed):
        bench.say("finish", "there are no test rows")
        return
    name = f"test and error {bench.metric.key} {bench.ask.seed} {_digest(bench.folder / 'model')}"
    if (known := bench.journal.fact(name)) is None:
        test = bench.sealed.open(f"steelyard run, for {name}", bench.journal.open_test)
        assert test.target is not None
        predicted = load_predictor(bench.folder / "model").predict(test)
        measures = (bench.metric, error_metric(bench.problem)[1])
        known = [list(vars(score_of(m, test.target, predicted, test.weights)).values()) for m in measures]
        bench.journal.set_fact(name, known)
    score, told = (Score(*each) for each in known)
    openings = len({by for _, by in bench.journal.openings()})  # a kill right after opening does not count twice
    bench.update(test=score, test_openings=openings)
    error = as_error(error_metric(bench.problem)[1], told)
    bench.update(errors=table_of(bench, Predictions.load(bench.executor.final_predictions), error))
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
