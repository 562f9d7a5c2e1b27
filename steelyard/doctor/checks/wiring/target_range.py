"""Class codes that the outputs have no place for, or far more outputs than classes.

Codes run from 0 to classes - 1. Codes from 1 make the last one an index error; one output for many classes says one
class; 255 marks what is to be left out in many sets of masks, and only `ignore_index=255` leaves it out.

Broken: `nn.Linear(64, 9)` for the digits 0 … 9. Mended: `nn.Linear(64, 10)`.
"""

from dataclasses import replace

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from steelyard.doctor.case import Case
from steelyard.doctor.check import NotMeasured, Saw, check
from steelyard.doctor.checks.wiring.probing import asked

OWN = (nn.CrossEntropyLoss, nn.NLLLoss)
TIMES, ROWS = 5, 10  # as many outputs as classes, and rows for each output: the rest are not merely rare


@check(
    "SY210",
    "Class codes and outputs do not fit",
    "error",
    means="classes without an output cannot be learnt",
    treat="give the last layer one output a class, codes from 0 to classes - 1, and the loss the ignore_index",
)
def target_range(case: Case) -> Saw | None:
    if not case.batches:
        raise NotMeasured("there are no train batches")
    case.model.eval()
    with torch.no_grad():
        looked = _widths_and_codes(case)
    if not looked:
        raise NotMeasured("the loss is not known to take class codes")
    for width, codes in looked:
        low, high = int(codes.min()), int(codes.max())
        if low < 0 or high >= width:
            stray = codes[(codes < 0) | (codes >= width)]
            same = bool((stray == stray[0]).all()) and int(stray[0]) in (-1, 255)
            more = f"; give the loss ignore_index={int(stray[0])} if that marks what to leave out" if same else ""
            return Saw(f"codes lie in {low} … {high}, and there are {width} outputs{more}", {"low": low, "high": high})
        if width == 1:
            return Saw("there is one output, and the loss chooses among outputs: it is always zero", {"outputs": 1})
    width, codes = looked[0]
    if case.classes is not None and case.classes != width:
        return Saw(f"there are {case.classes} classes and {width} outputs", {"classes": case.classes}, "warning")
    many = int(codes.max()) + 1
    if len(codes) == case.rows and width > TIMES * many and len(codes) > ROWS * width:
        return Saw(
            f"codes end at {many - 1}, and there are {width} outputs", {"classes": many, "outputs": width}, "tip"
        )
    return None


def _widths_and_codes(case: Case) -> list[tuple[int, Tensor]]:
    """Outputs and codes of each term; where torch's loss takes codes or fails on them, as they are."""
    answer = case.batches[0].answer
    if isinstance(case.loss, OWN) and isinstance(answer, Tensor) and not answer.is_floating_point():
        return _as_they_are(case)
    try:
        looked = [[t for t in case.terms(b) if t.codes.numel() and t.kind != "values"] for b in case.batches]
    except Exception:
        refused = [t for b in case.batches for t in asked(case, b) if t.codes.numel() and t.out.dim() > 1]
        codes = [t.codes[t.codes != t.ignored] for t in refused if t.kind in ("class logits", "log probabilities")]
        return [(refused[0].logits.shape[1], torch.cat(codes))] if codes else _as_they_are(case)
    found = []
    for place, first in enumerate(looked[0]):
        same = [each[place] for each in looked if len(each) > place]
        kept = torch.cat([t.codes[t.codes != t.ignored] for t in same])
        if first.kind in ("class logits", "log probabilities") and kept.numel():
            found.append((first.logits.shape[1], kept))
    return found


def _as_they_are(case: Case) -> list[tuple[int, Tensor]]:
    if case.loss is not None and not isinstance(case.loss, OWN) and case.loss not in (F.cross_entropy, F.nll_loss):
        raise NotMeasured("the loss raises an exception")
    answers = [batch.answer for batch in case.batches]
    codes = torch.cat([each.flatten() for each in answers if isinstance(each, Tensor) and not each.is_floating_point()])
    out = case.outputs(replace(case.batches[0], answer=None) if case.loss is None else case.batches[0])
    codes = codes[codes != getattr(case.loss, "ignore_index", -100)]
    if not codes.numel() or out.is_floating_point() is False:
        raise NotMeasured("the loss raises an exception, and targets are no codes")
    return [(out.shape[1] if out.dim() > 1 else 1, codes)]
