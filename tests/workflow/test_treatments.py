"""What treats a symptom exists, and every symptom that is treated is one that is looked for."""

import pytest

from steelyard.diagnosis.recorded import readings
from steelyard.doctor.check import checks
from steelyard.techniques import catalogue
from steelyard.workflow.families import families
from steelyard.workflow.treatments import TREATMENTS, VARIANCE, names_for


def test_every_symptom_in_the_table_is_looked_for() -> None:
    known = {each.code for each in checks()} | {each.code for each in readings()}
    assert set(TREATMENTS) | {VARIANCE} <= known


@pytest.mark.parametrize("code", TREATMENTS)
def test_every_treatment_is_a_technique_or_turns_a_knob(code: str) -> None:
    from steelyard.data.dataset import Column, Schema
    from steelyard.problem import Problem

    problem = Problem("regression", "tabular", "price", 400, (), "rmse")
    schema = Schema("tabular", "price", (Column("a", "number"),))
    recipe = next(r for r in families(problem, schema, 400) if r.network is not None)
    for name in TREATMENTS[code]:
        path, sign, text = name.partition("=")
        if sign:
            assert recipe.set(path, text).knobs()[path] is not None
        else:
            assert name in catalogue() or name.partition("*")[0] in recipe.knobs(), name


def test_of_a_program_of_ones_own_only_techniques_are_named() -> None:
    assert names_for("SY403") == ("normalization",)
    assert names_for("SY201") == names_for(VARIANCE) == ()
