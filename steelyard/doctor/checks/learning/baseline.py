"""A model that does no better than always giving the same answer.

The majority class, or the mean, is what any model has to beat first (Chollet 2021, "Deep Learning with Python",
section 5.4). A model that was trained over its rows again and again and does not, on those same rows, has no use for
what it is given.

Broken: a network whose inputs were zeroed by the preprocessing. Mended: inputs that say something.
"""

from steelyard.doctor.case import Case
from steelyard.doctor.check import NotMeasured, Saw, check
from steelyard.doctor.checks.data.unrelated import skilled
from steelyard.doctor.rehearsal import rehearsed
from steelyard.doctor.skill import skills

STEPS, EPOCHS, FEWEST = 200, 4, 60


@check(
    "SY509",
    "A constant answer does as well",
    "warning",
    means="after the training so far the model does not use its inputs",
    treat="look at the other findings first; then at the last activation, the loss and the rate",
)
def baseline(case: Case) -> Saw | None:
    own = rehearsed(case)
    if own.steps < STEPS or own.epochs < EPOCHS or own.broke is not None or not own.own:
        raise NotMeasured(f"there was no time for {STEPS} steps and {EPOCHS} epochs of your own training")
    own.case.model.eval()
    found = skills(own.case, own.seen)
    if not found or min(each.rows for each in found) < FEWEST:
        raise NotMeasured("the loss is of no known kind, or there are too few rows")
    bad = [each for each in found if not skilled(each)]
    if len(bad) < len(found):
        return None
    name = "variance explained" if bad[0].kind == "values" else "right answers"
    text = f"after {own.steps} steps {name} are {bad[0].score:.1%} on the rows trained on; the best constant gets "
    text += f"{bad[0].chance:.1%}"
    return Saw(text, {"score": bad[0].score, "chance": bad[0].chance, "steps": own.steps})
