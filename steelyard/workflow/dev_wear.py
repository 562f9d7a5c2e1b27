"""Step 8, before the test is opened: what the final choice owes to chance, over all that was tried at full size."""

import numpy as np

from steelyard.records import Wear
from steelyard.trials.arms import FULL, Tried, gather
from steelyard.trials.trial import Outcome
from steelyard.weighing.wear import wear
from steelyard.workflow.bench import Bench
from steelyard.workflow.blend import Choice, as_final
from steelyard.workflow.say import number, score_text


def note_wear(bench: Bench, choice: Choice) -> None:
    """Record and say how worn dev is, and what the dev score of the final choice is without the luck of that choice.

    A blend, and a model that was trained on fewer rows, compete as one candidate more.
    """
    rivals = [t for t in candidates(bench) if np.array_equal(t.rows[0], choice.rows)]
    alone = choice.arms[0].recipe if len(choice.arms) == 1 and choice.arms[0].size.full else None
    models = [as_final(t) for t in rivals if t.recipe != alone]
    truth = bench.truth[choice.rows]
    found = wear(
        bench.metric,
        truth,
        [*models, choice.dev],
        winner=len(models),
        looks=len(bench.looks),
        weights=bench.pool.weights_of(choice.rows),
    )
    bench.update(wear=found)
    bench.say("finish", told(found))


def candidates(bench: Bench) -> list[Tried]:
    """Every recipe that this run scored on all of dev after training on all of train, and that keeps the constraints.

    In an order of their own, whichever trial ended first: equals on dev are chosen by it.
    """
    by_recipe: dict[str, dict[int, list[Outcome]]] = {}
    for outcome in bench.journal.outcomes():
        trial = outcome.trial
        if outcome.key in bench.looks and outcome.done and trial.rows is None and trial.fold is not None:
            by_recipe.setdefault(trial.recipe.key, {}).setdefault(trial.seed, []).append(outcome)
    found = []
    for _, seeds in sorted(by_recipe.items()):
        whole = [seeds[seed] for seed in sorted(seeds) if len(seeds[seed]) == bench.protocol.folds]
        outcomes = [outcome for each in whole for outcome in sorted(each, key=lambda o: o.trial.fold or 0)]
        tried = outcomes and gather(outcomes[0].trial.recipe, FULL, outcomes, bench.protocol.folds, bench.executor)
        if tried and not bench.broken(tried):
            found.append(tried)
    return found


def told(found: Wear) -> str:
    """The wear of dev in one line."""
    looked = f"dev was looked at {found.looks} times"
    if found.candidates == 1:
        return f"{looked}; one model competed at full size, so that nothing was chosen on its score there"
    many = f"{looked}, {found.candidates} models competed at full size"
    if found.optimism is None or found.corrected is None:
        return f"{many}; the optimism of that choice is {found.method}"
    if not found.optimism:
        return f"{many}: the dev score {number(found.plain.value)} owes nothing measurable to that choice"
    luck = number(float(f"{found.optimism:.2g}"))  # two digits are more than a bootstrap knows
    return (
        f"{many}: the dev score {number(found.plain.value)} is expected to be {luck} too good "
        f"for having been chosen there; corrected {score_text(found.corrected)}"
    )
