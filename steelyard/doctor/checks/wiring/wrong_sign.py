"""A loss that falls as answers get worse.

A forgotten or doubled minus, `1 - y`, an optimizer that maximises: training then moves away from the targets, and
the loss curve looks well. The gradient at the outputs is held against that of the plain loss of the same terms; a
loss of your own is asked for its values at right answers and at wrong ones.

Broken: `loss = F.mse_loss(out, y); (-loss).backward()`. Mended: `loss.backward()`.
"""

import torch
from torch import Tensor
from torch.nn import functional as F

from steelyard.doctor.batch import Batch
from steelyard.doctor.case import Case
from steelyard.doctor.check import NotMeasured, Saw, check
from steelyard.doctor.checks.wiring.probing import first_batch, terms_and_loss
from steelyard.doctor.checks.wiring.right_answers import endless, right_and_wrong
from steelyard.doctor.losses import Term

AGAINST = -0.3  # cosine of the two gradients; weights of classes and of rows leave it above zero
BATCHES = 3


@check(
    "SY215",
    "The loss rewards wrong answers",
    "error",
    means="each step moves the outputs away from the targets",
    treat="look for a sign too much or too few, targets that are inverted, maximize=True of the optimizer",
)
def wrong_sign(case: Case) -> Saw | None:
    batch = first_batch(case)
    maximised = any(group.get("maximize") for group in case.optimizer.param_groups) if case.optimizer else False
    case.model.eval()
    found = [_cosines(case, each) for each in case.batches[:BATCHES]]
    found = [each for each in found if len(each) == len(found[0])]
    if found[0]:
        kinds = [term.kind for term in case.terms(batch)]
        worst = [max(-each[k] if maximised else each[k] for each in found) for k in range(len(found[0]))]
        against = [k for k, cosine in enumerate(worst) if cosine < AGAINST]
        if against:
            classes = all(kinds[k] != "values" for k in against)
            grave = "tip" if classes and len(against) < len(worst) else None  # one of several may be an adversary's
            more = ", as the optimizer maximises" if maximised else ""
            text = f"a step moves outputs away from the targets of the loss{more}"
            return Saw(text, {"cosine": worst[against[0]], "terms": against}, grave)  # type: ignore[arg-type]
        return _inverted(case, batch) or _without_end(case, batch, maximised)
    values = right_and_wrong(case, batch, maximised)
    if values is None:
        saw = _without_end(case, batch, maximised)
        if saw is None:
            raise NotMeasured("it is not known what answers this loss wants")
        return saw
    right, wrong = values
    if (wrong > right) if maximised else (right > wrong):
        text = f"right answers lose {right:.3g}, wrong ones {wrong:.3g}" + (
            ", and it is maximised" if maximised else ""
        )
        return Saw(text, {"right": right, "wrong": wrong})
    return None


def _without_end(case: Case, batch: Batch, maximised: bool) -> Saw | None:
    values = endless(case, batch, maximised)
    if values is None:
        return None
    here, far = values
    text = f"with one of the outputs a thousand times as large it is {far:.3g}, it was {here:.3g}: it falls without end"
    return Saw(text, {"here": here, "far": far})


def _cosines(case: Case, batch: Batch) -> list[float]:
    """For each term the cosine of the gradient of the loss with that of the plain loss, at its outputs."""
    found, loss = terms_and_loss(case, batch)
    known = [term for term in found if term.out.requires_grad and loss.requires_grad]
    if not known:
        return []
    grads = torch.autograd.grad(loss, [term.out for term in known], allow_unused=True)
    cosines = []
    for term, grad in zip(known, grads, strict=True):
        plain = _plain(term)
        if grad is None or plain is None or not bool(grad.any()) or not bool(plain.any()):
            cosines.append(0.0)
        else:
            cosines.append(float(F.cosine_similarity(grad.double().flatten(), plain.double().flatten(), 0)))
    return cosines


def _plain(term: Term) -> Tensor | None:
    """The gradient of the plain loss of a term at its outputs."""
    out = term.out.detach().double().requires_grad_()
    target = term.target.detach()
    with torch.enable_grad():
        if term.kind in ("class logits", "log probabilities"):
            y = target.double() if target.is_floating_point() else target
            lost = F.cross_entropy if term.kind == "class logits" else F.nll_loss
            loss = lost(out, y, ignore_index=-100 if target.is_floating_point() else term.ignored)
        elif out.numel() != target.numel():
            return None
        else:
            wanted = target.double().reshape(out.shape)
            middle = torch.sigmoid(out) if term.kind == "label logits" else out
            loss = F.mse_loss(middle, wanted)
        (grad,) = torch.autograd.grad(loss, out)
    return grad


def _inverted(case: Case, batch: Batch) -> Saw | None:
    """Zeros and ones of the batch that the loss gets the other way round."""
    given = batch.answer
    terms = case.terms(batch)
    if not isinstance(given, Tensor) or len(terms) != 1 or terms[0].target.numel() != given.numel():
        return None
    y, used = given.double().flatten(), terms[0].target.double().flatten()
    if bool(((y == 0) | (y == 1)).all()) and bool((used == 1 - y).all()):
        return Saw("the loss compares outputs with 1 - y where the batch says y", {"rows": len(y)}, "warning")
    return None
