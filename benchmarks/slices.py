"""Planted bad slices are found, and on data without any nothing is called bad.

Tables are made with categories, numbers and dates; every row errs with one probability, and on a planted slice, one
condition or two, with a higher one. Told are: how often anything is called worse where nothing is planted, for shares
of mistakes, distances and weights; how often a planted slice is found, by its size and gap; by how much its gap is
overstated, as it was measured and as it is expected on fresh rows; and how often the interval of what mending a reason
would bring holds what it truly brings.
"""

import argparse
import json
import sys
import time
from itertools import product
from typing import Any

import numpy as np
import pandas as pd

from steelyard.data.dataset import Column, Dataset, Schema
from steelyard.diagnosis.conditions import Condition
from steelyard.diagnosis.misses import Misses, mean_of
from steelyard.diagnosis.reasons import Example, reason, sample
from steelyard.diagnosis.slices import find_slices
from steelyard.records import Mistake
from steelyard.workflow.slices import conditions_of

BASE = 0.1  # error outside the planted slice
OVERLAP = 0.5  # of the rows of the planted slice and the found one together that lie in both: it is found


def table(rows: int, random: np.random.Generator) -> Dataset:
    """A table of three categories, four numbers, of which two go together and one is mostly zero, and a date."""
    x = random.normal(size=(rows, 4))
    frame = pd.DataFrame(
        {
            "colour": random.choice(list("abcdef"), rows, p=[0.4, 0.25, 0.15, 0.1, 0.07, 0.03]),
            "place": random.choice([f"p{i}" for i in range(12)], rows),
            "kind": random.choice(["new", "old"], rows, p=[0.7, 0.3]),
            "age": np.round(40 + 12 * x[:, 0]),
            "income": np.exp(10 + 0.5 * x[:, 0] + 0.5 * x[:, 1]),
            "gain": np.where(random.uniform(size=rows) < 0.85, 0.0, np.exp(8 + x[:, 2])),
            "noise": x[:, 3],
            "day": pd.Timestamp("2024-01-01") + pd.to_timedelta(random.integers(0, 365, rows), unit="D"),
        }
    )
    kinds = {"colour": "category", "place": "category", "kind": "category", "day": "date"}
    columns = tuple(Column(name, kinds.get(name, "number")) for name in frame)  # type: ignore[arg-type]
    return Dataset("made", Schema("tabular", "y", columns), None, frame=frame)


def quiet(conditions: list[Condition], rows: int, tries: int, random: np.random.Generator) -> dict[str, float]:
    """The share of tries in which anything is called worse, for every kind of error."""
    weights = random.gamma(2.0, size=rows)
    makers = {
        f"share {rate:g}": lambda rate=rate: (random.uniform(size=rows) < rate) * 1.0 for rate in (0.02, 0.1, 0.4)
    }
    makers |= {
        "distance": lambda: np.abs(random.normal(size=rows)),
        "distance, heavy tail": lambda: np.exp(1.5 * random.normal(size=rows)),
    }
    alarms = {name: [Misses("error", make()) for _ in range(tries)] for name, make in makers.items()}
    alarms["share 0.1, weighted"] = [Misses("error", makers["share 0.1"](), weights) for _ in range(tries)]
    return {
        name: float(np.mean([bool(find_slices(m, conditions).worse) for m in all_])) for name, all_ in alarms.items()
    }


def power(
    conditions: list[Condition],
    rows: int,
    share: float,
    gap: float,
    several: bool,
    tries: int,
    random: np.random.Generator,
) -> dict[str, Any]:
    """How often a slice of about that share is found, where its rows err by `gap` more; and how its gap is told."""
    able = [each for each in conditions if each.kind == "column"]
    pool = (
        [a.inside & b.inside for a, b in product(able, able) if a.feature < b.feature]
        if several
        else [each.inside for each in able]
    )
    near = sorted(pool, key=lambda inside: abs(float(inside.mean()) - share))[:10]
    hits, told, fresh, sizes, listed = [], [], [], [], []
    for _ in range(tries):
        planted = near[int(random.integers(len(near)))]
        loss = (random.uniform(size=rows) < BASE + gap * planted) * 1.0
        found = find_slices(Misses("error rate", loss), conditions)
        sizes.append(int(planted.sum()))
        listed.append(len(found.worse))
        match = [each for each in found.worse if _overlap(_rows(each.conditions, conditions), planted) >= OVERLAP]
        hits.append(bool(match))
        exact = [each for each in match if (_rows(each.conditions, conditions) == planted).all()]
        if exact:
            told.append(exact[0].difference.value - gap)
            fresh.append((exact[0].expected or 0.0) - gap)
    return {
        "rows": rows,
        "kind": "pair" if several else "condition",
        "slice_rows": round(float(np.mean(sizes))),
        "gap": gap,
        "found": float(np.mean(hits)),
        "listed": float(np.mean(listed)),
        "overstated": round(float(np.mean(told)), 4) if told else None,
        "overstated_fresh": round(float(np.mean(fresh)), 4) if fresh else None,
    }


def _rows(labels: tuple[str, ...], conditions: list[Condition]) -> np.ndarray:
    inside = {each.label: each.inside for each in conditions}
    return np.asarray(np.logical_and.reduce([inside[label] for label in labels]))


def _overlap(a: np.ndarray, b: np.ndarray) -> float:
    return float((a & b).sum() / (a | b).sum())


def ceilings(tries: int, random: np.random.Generator) -> dict[str, float]:
    """How often the 95 % interval of the ceiling of a reason holds error times share, by rows, error and share."""
    found = {}
    for rows, error, share in product((500, 5000), (0.05, 0.3), (0.1, 0.5)):
        inside = []
        for number in range(tries):
            loss = (random.uniform(size=rows) < error) * 1.0
            has = random.uniform(size=rows) < share
            chosen, shares = sample(loss, 100, number)
            tags = [(("reason",) if has[row] else ("other",)) for row in chosen]
            mistakes = [Mistake(str(row), "", "", 1.0) for row in chosen]
            examples = [Example(m, float(s), t) for m, s, t in zip(mistakes, shares, tags, strict=True)]
            ceiling = reason(examples, "reason", mean_of(loss), int(loss.sum())).ceiling
            inside.append(ceiling.low <= error * share <= ceiling.high)
        found[f"{rows} rows, error {error:g}, share {share:g}"] = float(np.mean(inside))
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few tries (a minute)")
    options = parser.parse_args()
    tries, start, random = 20 if options.quick else 200, time.perf_counter(), np.random.default_rng(0)
    sizes = (1000,) if options.quick else (1000, 4000, 16000)
    alarms: dict[str, dict[str, float]] = {}
    table_of: list[dict[str, Any]] = []
    for rows in sizes:
        conditions = conditions_of(table(rows, random))
        alarms[str(rows)] = quiet(conditions, rows, 2 * tries, random)
        print(f"{rows} rows, {len(conditions)} conditions: called worse where nothing is planted: {alarms[str(rows)]}")
        for several, share, gap in product((False, True), (0.05, 0.15), (0.05, 0.1, 0.2, 0.4)):
            line = power(conditions, rows, share, gap, several, tries, random)
            table_of.append(line)
            print(
                "  {kind:<9} of {slice_rows:>5} rows, {gap:+.2f}: found {found:.2f}, {listed:.1f} listed, ".format(
                    **line
                )
                + f"gap overstated by {line['overstated']}, on fresh rows {line['overstated_fresh']}"
            )
    covered = ceilings(10 * tries, random)
    print(f"intervals of ceilings hold the truth: {covered}")
    worst = max(rate for each in alarms.values() for rate in each.values())
    room = 2 * (0.05 * 0.95 / (2 * tries)) ** 0.5
    right = worst <= 0.05 + room and min(covered.values()) >= 0.93 - room
    wall = round(time.perf_counter() - start, 1)
    figures = {"quick": options.quick, "wall": wall, "alarms": alarms, "power": table_of, "ceilings": covered}
    print(json.dumps(figures | {"worst_alarm": worst, "right": right}))
    return int(not right)


if __name__ == "__main__":
    sys.exit(main())
