"""Padding that counts in the loss.

Sequences of a batch are filled up to one length. Where the loss counts the filled places, predicting padding, which is
easy, makes up much of it: the loss looks low, and gradients are of padding. Places count when the gradient of the loss
reaches their outputs.

Broken: `nn.CrossEntropyLoss()` on targets padded with 0. Mended: `nn.CrossEntropyLoss(ignore_index=0)`, or -100 there.
"""

from collections.abc import Mapping

import torch
from torch import Tensor

from steelyard.doctor.batch import Batch, tensors
from steelyard.doctor.case import Case
from steelyard.doctor.check import NotMeasured, Saw, check
from steelyard.doctor.rows import named
from steelyard.doctor.tape import taped, tensor_pair

SHARE = 0.05  # of the places: less does no harm
FILLED = 0.25  # of the rows, at the least, are filled up, else a value at the end is one of the sequence
IGNORED = -100  # what torch's losses leave out unless told otherwise


@check(
    "SY114",
    "Padding counts in the loss",
    "warning",
    means="part of the loss is that of padding: it looks low, and gradients teach to predict padding",
    treat="give the loss ignore_index, or put -100 where sequences are filled up",
)
def padding_in_loss(case: Case) -> Saw | None:
    case.model.eval()
    looked = False
    for batch in case.batches[:8]:
        target = next((t for t in tensors(batch.answer) if t.dim() == 2 and t.shape[1] > 2), None)
        if target is None:
            raise NotMeasured("targets are no sequences")
        filled = _filled(batch, target)
        if filled is None:
            continue
        looked = True
        share = float(filled.float().mean())
        if share < SHARE or not _counts(case, batch, filled):
            continue
        value = target[filled][0]
        text = f"{share:.0%} of the targets of a batch are padding ({float(value):g}), and the loss counts them"
        return Saw(text, {"share": share, "value": float(value)})
    if not looked:
        raise NotMeasured("no padding was seen in the targets")
    return None


def _filled(batch: Batch, target: Tensor) -> Tensor | None:
    """Where the targets (rows, places) are padding: where inputs are; lacking those, where one value ends them."""
    fitting = {n: t for n, t in named(batch).items() if t.dim() >= 2 and t.shape[:2] == target.shape[:2]}
    if fitting:
        where = _of_inputs(fitting, target.device)
        return None if where is None else _one_value(target, where)
    ends = None if target.is_floating_point() else _tail(target)
    if ends is None or bool(((target == target[ends][0]) & ~ends).any()):
        return None
    return _one_value(target, ends)


def _one_value(target: Tensor, where: Tensor) -> Tensor | None:
    held = target[where]
    if not held.numel() or bool((held != held[0]).any()) or held[0] == IGNORED:
        return None
    return where


def _of_inputs(fitting: Mapping[str, Tensor], device: torch.device) -> Tensor | None:
    """Where inputs are filled up: by a mask, by one code, or by places of zeros alone."""
    for name, each in fitting.items():
        if "mask" in name and each.dim() == 2 and bool(((each == 0) | (each == 1)).all()):
            off = (each == 0).to(device)
            return off if bool(off.any()) else None
    for each in fitting.values():
        if each.is_floating_point() and each.dim() == 2:
            continue  # a table or picture may well end with zeros
        found = _tail((each if each.dim() == 2 else each.flatten(2).abs().sum(2)).to(device))
        if found is not None and (each.dim() == 2 or bool((each[found.cpu()] == 0).all())):
            return found
    return None


def _tail(rows: Tensor) -> Tensor | None:
    """Places at the end of rows that hold one value, the same in all filled rows; rows of one length only have none."""
    run = (rows == rows[:, -1:]).flip(1).long().cumprod(1).flip(1).bool()
    length = run.sum(1)
    long = length >= 2
    if not bool(long.any()) or not bool((length < rows.shape[1]).any()):
        return None
    ends, counts = torch.unique(rows[long, -1], return_counts=True)
    value = ends[counts.argmax()]
    filled = long & (rows[:, -1] == value)
    if float(filled.float().mean()) < FILLED or len(torch.unique(length[filled])) < 2:
        return None
    where = run & filled[:, None]
    return where if not bool(((rows == value) & ~where)[:, :-1].float().mean() > 0.02) else None


def _counts(case: Case, batch: Batch, filled: Tensor) -> bool:
    """Whether the gradient of the loss reaches outputs at filled places."""
    with torch.enable_grad(), taped(case.model) as tape:
        loss = case.loss_of(batch).float().mean()
    for call in tape.losses:
        pair = tensor_pair(call)
        if pair is None or not pair[0].requires_grad:
            continue
        (grad,) = torch.autograd.grad(loss, pair[0], allow_unused=True, retain_graph=True)
        codes = grad is not None and pair[0].dim() == pair[1].dim() + 1
        where = _places(filled, pair[1])
        if grad is not None and where is not None:
            each = (grad.movedim(1, -1) if codes else grad).abs().reshape(where.numel(), -1).sum(1)
            return _weighs(each, where)
    if tape.losses or case.loss is None:
        return False
    out = case.outputs(batch).detach().requires_grad_()
    if out.shape[:2] != filled.shape:
        return False
    with torch.enable_grad():
        (grad,) = torch.autograd.grad(case.compare(out, batch.answer, batch).float().mean(), out)
    return _weighs(grad.abs().reshape(filled.numel(), -1).sum(1), filled.reshape(-1))


def _places(filled: Tensor, target: Tensor) -> Tensor | None:
    """Filled places as the loss was given them: all, or all but the first (or the last) of every row."""
    if target.numel() == filled.numel():
        return filled.reshape(-1)
    return filled[:, 1:].reshape(-1) if target.numel() == filled[:, 1:].numel() else None


def _weighs(each: Tensor, where: Tensor) -> bool:
    """Whether gradients at some places are no less than a hundredth of the others."""
    return float(each[where].mean()) > 0.01 * float(each[~where].mean()) if bool(where.any()) else False
