"""A model that cannot learn one batch by heart.

With as many steps as it takes, a model with enough weights drives the loss of a few rows to nearly nothing; one
that cannot is wired wrongly (Karpathy 2019, "A Recipe for Training Neural Networks"). A copy is trained with Adam
on the first rows.

Broken: a mask of the wrong rows, `detach()` in the middle, labels that do not belong to their rows. Mended: find
it.
"""

import torch
from torch.nn import functional as F

from steelyard.doctor.batch import Batch
from steelyard.doctor.case import Case
from steelyard.doctor.check import NotMeasured, Saw, check
from steelyard.doctor.skill import skills

ROWS, STEPS = 16, 400
RATES = (3e-3, 3e-4, 3e-2)
RIGHT = 0.97  # of the answers, or of the variance of values
LEFT_OF_SEVERAL = 0.6  # where the loss has more terms than one
LEFT = 0.2  # of the loss at the start: less has been reached by models that are wired well


@check(
    "SY501",
    "One batch cannot be learnt by heart",
    "error",
    means="the model, the loss or the wiring between them is broken: more data or time will not help",
    treat="look at the other findings first; then at masks, detached tensors, the order of labels, the model's size",
)
def one_batch(case: Case) -> Saw | None:
    if not case.batches:
        raise NotMeasured("there are no train batches")
    known = {term.kind for term in case.terms(case.batches[0])}
    if not known:
        raise NotMeasured("it is not known how low this loss can get")
    batch = case.batches[0].rows(ROWS)
    left = LEFT if _one_comparison(case, batch) else LEFT_OF_SEVERAL
    best, first, deadline = float("inf"), None, case.left() - 0.25 * case.left()
    for rate in RATES:
        twin = case.copy()
        trained = [p for p in twin.model.parameters() if p.requires_grad]
        if not trained:
            raise NotMeasured("nothing can be trained")
        _still(twin.model)
        optimizer = torch.optim.Adam(trained, lr=rate)
        for step in range(STEPS):
            optimizer.zero_grad()
            loss = twin.loss_of(batch).mean()
            value = float(loss)
            first = value if first is None else first
            best = min(best, value) if value == value else best
            if best <= left * first or best < 1e-4 or (step % 20 == 19 and _by_heart(twin, batch)):
                return None
            if not loss.requires_grad or value != value or (step % 20 == 0 and case.left() < deadline):
                break
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
    if first is None or case.left() < deadline:
        raise NotMeasured("there was no time to train long enough")
    text = f"{STEPS} steps on {ROWS} rows take the loss from {first:.3g} to {best:.3g}"
    return Saw(text, {"first": first, "best": best, "rows": ROWS, "steps": STEPS})


def _one_comparison(case: Case, batch: Batch) -> bool:
    """Whether the loss is one plain comparison: a penalty, or a second term, has a floor of its own."""
    with torch.no_grad():
        loss, found = float(case.loss_of(batch).float().mean()), case.terms(batch)
    if len(found) != 1 or found[0].kind == "values":
        return len(found) == 1
    term = found[0]
    if term.kind == "class logits" and term.codes.numel():
        plain = float(F.cross_entropy(term.logits.float(), term.codes, ignore_index=term.ignored))
    elif term.kind == "label logits":
        plain = float(F.binary_cross_entropy_with_logits(term.out.float(), term.target.float().reshape(term.out.shape)))
    else:
        return True
    return abs(loss - plain) <= 0.02 * max(abs(loss), 1e-6)


def _by_heart(twin: Case, batch: Batch) -> bool:
    """Whether the answers are right, however high the loss is by its nature (smoothed labels, a weight penalty)."""
    found = skills(twin, [batch])
    return bool(found) and all(each.score >= RIGHT for each in found)


def _still(model: torch.nn.Module) -> None:
    """Train mode without dropout, which keeps a batch from being learnt by heart."""
    model.train()
    for module in model.modules():
        if isinstance(module, torch.nn.modules.dropout._DropoutNd):
            module.eval()
