"""What an arm does besides its effect: on classes and slices, at equal time, together with another arm."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from steelyard.diagnosis.conditions import conditions_on
from steelyard.errors import UserError, suggest
from steelyard.metrics import Metric, metric
from steelyard.trials.arms import Tried
from steelyard.weighing.compare import judge, judge_all
from steelyard.weighing.comparison import Comparison, Effect, Interaction
from steelyard.weighing.crossed import crossed, differences_of
from steelyard.workflow.arms import JOINED
from steelyard.workflow.race import Race
from steelyard.workflow.standing import Standing

DEARER = 1.1  # times the training time: from there on equal time is another question than equal epochs
FEWEST = 10  # examples of a part
Array = np.ndarray


def on_classes(race: Race, standing: Standing) -> tuple[Effect, ...]:
    """The effects on the recall of every class."""
    return _effects(race, standing, _classes(race), metric("accuracy"))


def on_slices(race: Race, standing: Standing, columns: tuple[str, ...]) -> tuple[Effect, ...]:
    """The effects on the rows of every value of a column, or of every quarter of its numbers."""
    return _effects(race, standing, parts_of(race, columns), race.metric)


def _effects(race: Race, standing: Standing, parts: dict[str, Array], measure: Metric) -> tuple[Effect, ...]:
    """The effect on each part: rows of the pool (bool); corrected for their number and every look."""
    base, tried = race.tried, standing.tried
    if base is None or tried is None or not standing.pairs:
        return ()
    names, analysed, counts = [], [], []
    for part, inside in parts.items():
        kept = [inside[rows] for rows in tried.rows[: standing.pairs]]
        if min(int(each.sum()) for each in kept) < FEWEST:
            continue
        truth = [race.bench.truth[rows[k]] for rows, k in zip(tried.rows, kept, strict=False)]
        rows = [rows[k] for rows, k in zip(tried.rows, kept, strict=False)]
        without, with_it = ([dev[k] for dev, k in zip(each.dev, kept, strict=False)] for each in (base, tried))
        names.append(part)
        weights = [race.bench.pool.weights_of(r) for r in rows]
        analysed.append(crossed(differences_of(measure, truth, without, with_it, rows, weights)))
        counts.append(int(kept[0].sum()))
    judged = judge_all(analysed, measure.sign, 0.0, race.looks) if analysed else []
    return tuple(
        Effect(c.mean, j.low, j.high, j.verdict, part, many)
        for part, c, j, many in zip(names, analysed, judged, counts, strict=True)
    )


def _classes(race: Race) -> dict[str, Array]:
    problem = race.bench.problem
    return {name: race.bench.truth == code for code, name in enumerate(problem.classes)}


def parts_of(race: Race, columns: tuple[str, ...]) -> dict[str, Array]:
    """The rows of every value of a column, or of every quarter of its numbers."""
    frame, found = race.bench.pool.frame, dict[str, Array]()
    for column in columns:
        if frame is None or column not in frame:
            known = [] if frame is None else list(map(str, frame))
            raise UserError(f"there is no column '{column}' to slice by{suggest(column, known)}")
        found |= {each.label: each.inside for each in conditions_on(column, frame[column])}
    return found


def equal_time(race: Race, standing: Standing, compared: Comparison) -> Effect | None:
    """The effect against a base that trains for as long; None where the arm costs no time or there is none left."""
    ratio, recipe = compared.time_ratio, race.base
    if compared.verdict != "helps" or ratio < DEARER or "stopping.epochs" not in recipe.knobs():
        return None
    epochs = round(recipe.get("stopping.epochs") * ratio)
    if epochs == recipe.get("stopping.epochs"):
        return None
    longer = recipe.set("stopping.epochs", epochs)
    tried = race.bench.try_arms([(longer, race.seeds[: standing.pairs], race.size)])[0]
    if tried is None:
        return None
    return _against(race, tried, standing, f"{epochs} epochs")


def _against(race: Race, other: Tried, standing: Standing, name: str) -> Effect:
    assert standing.tried is not None
    found = crossed(race.scores.differences(other, standing.tried, standing.pairs))
    judged = judge(found, race.metric.sign, race.least, race.looks)
    return Effect(found.mean, judged.low, judged.high, judged.verdict, name, len(other.rows[0]))


def interactions(race: Race) -> Iterator[Interaction]:
    """What arms of two edits do beyond the sum of what each does alone."""
    places: dict[str, Any] = {s.entry.name: s for s in race.standings if s.tried is not None}
    for name, both in places.items():
        parts = JOINED.split(name)
        if len(parts) != 2 or not all(part in places for part in parts) or race.tried is None:
            continue
        first, second = (places[part] for part in parts)
        pairs = min(both.pairs, first.pairs, second.pairs)
        alone = [race.scores.differences(race.tried, each.tried, pairs) for each in (both, first, second)]
        found = crossed(alone[0] - alone[1] - alone[2])
        judged = judge(found, race.metric.sign, race.least, race.looks)
        yield Interaction((parts[0], parts[1]), found.mean, judged.low, judged.high, judged.verdict, pairs)
