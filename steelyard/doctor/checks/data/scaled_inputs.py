"""Inputs on scales that a network does not learn from.

Initialisations and learning rates are made for inputs of about unit size (LeCun et al. 1998, "Efficient BackProp",
section 4.3). Values in the hundreds, tiny ones, values far from zero, or columns whose sizes differ a thousandfold make
the loss a narrow valley. What counts is what reaches the first layer: a model may scale its inputs itself.

Broken: pixels as 0 … 255. Mended: `x = (x / 255 - mean) / std`, with the mean and spread of train.
"""

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _NormBase

from steelyard.doctor.case import Case
from steelyard.doctor.check import NotMeasured, Saw, check
from steelyard.doctor.reaching import reaching
from steelyard.doctor.rows import stacked

LARGE = 30.0  # root mean square of inputs: ten times what leaves the usual first layers near their design
TINY = 0.01  # of values that are not zero; pixels divided by 255 twice are below 0.004
CENTRE = 10.0  # spreads between zero and the mean of all values
COLUMN = 30.0  # spreads between zero and the mean of one column
APART = 1000.0  # largest over smallest spread of columns
DENSE = 0.2  # of rows in which a column is not zero: rare columns have small spreads rightly
TOKENS = ("input_ids", "token_ids", "tokens", "ids")
NORMS = (_NormBase, nn.LayerNorm, nn.GroupNorm, nn.RMSNorm)


@check(
    "SY102",
    "Inputs are not scaled",
    "warning",
    means="the loss is a narrow valley: training is slow, or diverges at rates that would otherwise do",
    treat="standardise inputs with the mean and spread of train",
)
def scaled_inputs(case: Case) -> Saw | None:
    if not case.batches:
        raise NotMeasured("there are no train batches")
    given = {n: x.float() for n, x in stacked(case.batches).items() if x.dim() > 1 and x.numel()}
    if not given:
        raise NotMeasured("no input has columns")
    met = reaching(case, case.batches[0])
    if met and isinstance(met[0][0], NORMS):
        return None
    layers = [
        x.float() for module, x in met if x.is_floating_point() and not isinstance(module, (*NORMS, nn.Embedding))
    ]
    whole = {n: not x.is_floating_point() for n, x in stacked(case.batches).items()}
    for name, x in given.items():
        x = x[torch.isfinite(x.reshape(len(x), -1)).all(1)]
        if not len(x) or (whole[name] and not met):
            continue
        saw = _one(x, whole[name])
        if saw is not None and (not met or any(_same_fault(saw, each) for each in layers)):
            return Saw(f"{name}: {saw.text}{_hint(name, x)}", {"input": name} | saw.evidence)
    return None


def _one(x: Tensor, whole: bool) -> Saw | None:
    """What is wrong with one input."""
    size, mean, spread = float(x.square().mean().sqrt()), float(x.mean()), float(x.std())
    filled = x[x != 0]
    if size > LARGE:
        return Saw(f"the root mean square is {size:,.0f}; about 1 is usual", {"rms": size})
    if spread == 0 or not filled.numel() or whole:
        return None
    norms = x.flatten(1).norm(dim=1)
    unit = float(norms.std()) < 0.01 * float(norms.mean()) and 0.5 < float(norms.mean()) < 2.0
    typical = float(filled.square().mean().sqrt())
    if typical < TINY and not unit:
        return Saw(f"the root mean square is {typical:.2g}; about 1 is usual", {"tiny": typical})
    if abs(mean) > CENTRE * spread:
        return Saw(f"values lie at {mean:.3g} ± {spread:.2g}, far from zero", {"centre": abs(mean) / spread})
    columns = _columns(x)
    if columns is None:
        return None
    spreads, means = columns.std(0), columns.mean(0)
    dense = ((columns != 0).float().mean(0) >= DENSE) & (spreads > 0)
    if int(dense.sum()) < 2:
        return None
    ratio = float(spreads[dense].max() / spreads[dense].min())
    if ratio > APART:
        return Saw(f"spreads of columns differ {ratio:,.0f} fold", {"ratio": ratio})
    away = torch.where(dense & (means.abs() > 3), means.abs() / spreads, torch.zeros(()))
    if float(away.max()) > COLUMN:
        worst = int(away.argmax())
        text = f"column {worst} lies at {float(means[worst]):.4g} ± {float(spreads[worst]):.2g}, far from zero"
        return Saw(text, {"column": worst, "centre": float(away.max())})
    return None


def _columns(x: Tensor) -> Tensor | None:
    """What should be of one size: columns of tables, features of series (rows, places, features)."""
    if x.dim() == 2:
        return x
    return x.flatten(0, 1) if x.dim() == 3 and x.shape[2] <= 512 else None


def _same_fault(saw: Saw, x: Tensor) -> bool:
    """Whether what a layer is given has that fault, too."""
    size, filled = float(x.square().mean().sqrt()), x[x != 0]
    if "rms" in saw.evidence:
        return size > LARGE / 3
    if "tiny" in saw.evidence:
        return bool(filled.numel()) and float(filled.square().mean().sqrt()) < 3 * TINY
    columns = x.reshape(len(x), -1) if x.dim() < 3 else x.flatten(0, 1).flatten(1)
    spreads = columns.std(0)
    moving = spreads > 0
    if "centre" in saw.evidence:
        return bool((columns.mean(0).abs()[moving] > saw.evidence["centre"] / 3 * spreads[moving]).any())
    return bool(moving.any()) and float(spreads[moving].max() / spreads[moving].min()) > saw.evidence["ratio"] / 3


def _hint(name: str, x: Tensor) -> str:
    if bool((x == x.round()).all()) and (name in TOKENS or float(x.max()) > 300) and float(x.min()) >= 0:
        return "; whole numbers: if they are codes of words or categories, give them to nn.Embedding"
    return ""
