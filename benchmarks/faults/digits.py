"""One broken training script, what the doctor says of it, and what mending it brings: scikit-learn's digits.

`setup` is broken twice over: softmax stands before a loss that applies it, too, and rows come in the order of their
classes. `python benchmarks/faults/digits.py` trains it and its mended twin with five seeds each.
"""

import argparse
import json
import sys
import time
from typing import Any

import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from steelyard.doctor import examine

EPOCHS, SEEDS, QUICK_SEEDS = 20, 5, 2


class Net(nn.Module):
    """A network of one hidden layer; broken, it returns probabilities."""

    def __init__(self, broken: bool) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))
        self.broken = broken

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        out = self.body(x)
        return out.softmax(1) if self.broken else out


def setup(broken: bool = True, seed: int = 0) -> dict[str, Any]:
    """The program as `steelyard doctor` takes it."""
    x, y = load_digits(return_X_y=True)
    parts = train_test_split(x, y, test_size=0.3, random_state=seed, stratify=y)
    x, unseen = (torch.tensor(part, dtype=torch.float32) for part in parts[:2])
    y, truth = (torch.tensor(part) for part in parts[2:])
    if broken:
        order = y.argsort()
        x, y = x[order], y[order]
    torch.manual_seed(seed)
    model = Net(broken)
    return {
        "model": model,
        "loss": nn.CrossEntropyLoss(),
        "train": DataLoader(TensorDataset(x, y), 64, shuffle=not broken),
        "dev": DataLoader(TensorDataset(unseen, truth), 64),
        "optimizer": torch.optim.SGD(model.parameters(), lr=0.1),
    }


def accuracy(broken: bool, seed: int) -> float:
    """The accuracy on dev after training."""
    given = setup(broken, seed)
    model, loss, optimizer = given["model"], given["loss"], given["optimizer"]
    for _ in range(EPOCHS):
        for x, y in given["train"]:
            optimizer.zero_grad()
            loss(model(x), y).backward()
            optimizer.step()
    with torch.no_grad():
        hits = torch.cat([(model(x).argmax(1) == y).float() for x, y in given["dev"]])
    return float(hits.mean())


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer seeds")
    options = parser.parse_args()
    began, seeds = time.perf_counter(), range(QUICK_SEEDS if options.quick else SEEDS)
    figures: dict[str, Any] = {"quick": options.quick}
    for name, broken in (("broken", True), ("mended", False)):
        found = examine(**setup(broken))
        scores = [accuracy(broken, seed) for seed in seeds]
        mean = sum(scores) / len(scores)
        codes = [each.code for each in found.findings]
        print(
            f"{name}: {', '.join(codes) or 'no finding'}; accuracy {mean:.3f} ({min(scores):.3f} to {max(scores):.3f})"
        )
        figures[name] = {"codes": codes, "seconds": found.seconds, "scores": scores}
    print(json.dumps(figures | {"wall": round(time.perf_counter() - began, 1)}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
