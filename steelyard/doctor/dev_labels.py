"""Labels of dev held against what a simple model, fitted on train, says of dev's inputs."""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from steelyard.doctor.batch import Batch
from steelyard.doctor.check import Saw
from steelyard.doctor.rows import codes, values
from steelyard.doctor.simple_answers import answers, features

ROWS = 60  # of train and of dev
CLASSES = 100
TOLD = 0.4  # of the way from chance to certainty: what the simple model has to tell on held-out train rows
LOST = 0.15  # of what it tells on train: less on dev is not learnt
CLEAR = 0.6  # of the rows of a class that are told as one other class
EACH = 8  # rows of a class of dev


def labels_otherwise(train: Sequence[Batch], dev: Sequence[Batch], side: str) -> Saw | None:
    """Labels of dev that are coded otherwise, or do not go with their inputs; None where that cannot be told, too."""
    y, z = codes(train), codes(dev)
    x, w = features(train), features(dev)
    if x.shape[1] != w.shape[1] or not bool(torch.isfinite(x).all() & torch.isfinite(w).all()):
        return None
    if y is not None and z is not None:
        if min(len(y), len(z)) < ROWS or len(y) != len(x) or len(z) != len(w):
            return None
        names = torch.unique(torch.cat([y, z]))
        if not 2 <= len(names) <= CLASSES:
            return None
        return _classes(x, torch.searchsorted(names, y), w, torch.searchsorted(names, z), names, side)
    one, two = values(train), values(dev)
    if one is None or two is None or one.shape[1] != 1 or two.shape[1] != 1 or min(len(one), len(two)) < ROWS:
        return None
    return _values(x, one, w, two, side) if len(one) == len(x) and len(two) == len(w) else None


def _classes(x: Tensor, y: Tensor, w: Tensor, z: Tensor, names: Tensor, side: str) -> Saw | None:
    order = torch.randperm(len(x), generator=torch.Generator().manual_seed(0))
    x, y = x[order], y[order]
    many = len(names)
    held = y[:2048][len(y[:2048]) // 2 :]
    asked = F.one_hot(y, many).float()
    rate = asked[:2048].mean(0)
    asked = (asked - rate) / (rate * (1 - rate)).sqrt().clamp(min=1e-3)  # rare classes are to be told, too
    told = [(a.of_train.argmax(1), a.of_dev.argmax(1)) for a in answers(x, asked, w)]
    guessed, there = max(told, key=lambda pair: float((pair[0] == held).float().mean()))
    here, chance = _balanced(guessed, held, many), 1 / len(torch.unique(held))
    if here - chance < TOLD * (1 - chance):
        return None
    moved = _moved(guessed, held, there, z, many)
    right = _balanced(there, z, many)
    if moved:
        listed = ", ".join(f"{int(names[a])} as {int(names[b])}" for a, b in list(moved.items())[:4])
        text = f"labels of {side} are coded otherwise: a simple model on train takes {listed}"
        return Saw(text, {"train": here, "dev": right, "moved": len(moved)})
    if right - chance < LOST * (here - chance) and len(torch.unique(z)) > 1:
        text = f"labels of {side} do not go with its inputs as train's do: a simple model is right on {right:.0%}"
        return Saw(f"{text}, on held-out train rows on {here:.0%}", {"train": here, "dev": right})
    return None


def _moved(guessed: Tensor, held: Tensor, there: Tensor, z: Tensor, many: int) -> dict[int, int]:
    """Classes of dev that are told as one other class each, and not so in train; each other class once."""
    in_train, in_dev = (_confusion(*pair, many) for pair in ((guessed, held), (there, z)))
    found: dict[int, int] = {}
    for code in range(many):
        rows = int((z == code).sum())
        other = int(in_dev[code].argmax())
        if rows < EACH or other == code or in_dev[code, other] < CLEAR or in_dev[code, code] > 0.5 * (1 - CLEAR):
            continue
        if int((held == code).sum()) >= EACH and in_train[code, other] < 0.3 and in_train[code, code] > CLEAR:
            found[code] = other
    return found if len(set(found.values())) == len(found) and len(found) >= 2 else {}


def _confusion(guesses: Tensor, truth: Tensor, many: int) -> Tensor:
    """How rows of each class are told, (class, told as), in shares."""
    counts = torch.zeros(many, many).index_put((truth, guesses), torch.ones(len(truth)), accumulate=True)
    return counts / counts.sum(1, keepdim=True).clamp(min=1)


def _balanced(guesses: Tensor, truth: Tensor, many: int) -> float:
    """The mean share that is right, over classes."""
    present = torch.unique(truth)
    return float(_confusion(guesses, truth, many).diagonal()[present].mean())


def _values(x: Tensor, y: Tensor, w: Tensor, z: Tensor, side: str) -> Saw | None:
    order = torch.randperm(len(x), generator=torch.Generator().manual_seed(0))
    x, y = x[order], y[order]
    held = y[:2048][len(y[:2048]) // 2 :, 0]
    if float(held.std()) == 0 or float(z.std()) == 0:
        return None
    told = [(_correlation(a.of_train[:, 0], held), _correlation(a.of_dev[:, 0], z[:, 0])) for a in answers(x, y, w)]
    here, there = max(told)
    doubt = 3 / len(z) ** 0.5
    if here < TOLD + doubt or there > max(LOST * here, doubt) or there > here - 2 * doubt:
        return None
    text = f"targets of {side} do not go with its inputs as train's do: what a simple model says goes with them by"
    return Saw(f"{text} {there:+.2f}, on held-out train rows by {here:+.2f}", {"train": here, "dev": there})


def _correlation(one: Tensor, two: Tensor) -> float:
    both = torch.stack([one.double(), two.double()])
    return float(torch.corrcoef(both)[0, 1]) if float(both.std(1).min()) > 0 else 0.0
