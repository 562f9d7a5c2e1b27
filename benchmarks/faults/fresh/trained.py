"""Does every sound twin learn, and is every faulty program broken? Each is trained as it stands and measured on dev.

`python benchmarks/faults/fresh/trained.py` prints a row for each: the losses on train and dev before and after training
and, where they have a meaning, accuracy or the explained share of variance. The last line is a JSON object of all
figures.
"""

import argparse
import importlib
import inspect
import json
import math
import sys
from collections import Counter
from itertools import islice
from typing import Any

import torch
from program import Program

MODULES = (
    "mlp",
    "mlp_training",
    "mlp_tables",
    "cnn",
    "recurrent",
    "attention",
    "regression",
    "multilabel",
    "autoencoding",
    "pairs",
    "stepping",
    "dict_batches",
    "lightning_style",
    "loaders",
)
EPOCHS, QUICK_EPOCHS = 12, 1


def programs() -> list[Program]:
    return [each for name in MODULES for each in importlib.import_module(name).PROGRAMS]


def halves(batch: Any) -> tuple[Any, Any]:
    """The inputs of a batch as arguments, and its target."""
    *inputs, target = batch
    return inputs, target


def part_of(out: Any, name: str) -> torch.Tensor:
    return out[name] if isinstance(out, dict) else getattr(out, name)


def outcome(given: dict[str, Any], batch: Any) -> tuple[torch.Tensor, Any, Any]:
    """The loss, the outputs and the target of a batch."""
    model, loss = given["model"], given.get("loss")
    if hasattr(model, "training_step") and loss is None:
        told = model.training_step(batch, 0)
        inputs, target = halves(batch)
        return told["loss"] if isinstance(told, dict) else told, model(*inputs), target
    if isinstance(batch, dict):
        given_in = {name: part for name, part in batch.items() if loss is None or name != "labels"}
        out = model(**given_in)
        value = part_of(out, "loss") if loss is None else loss(out, batch["labels"])
        return value, part_of(out, "logits"), batch["labels"]
    inputs, target = halves(batch)
    out = model(*inputs)
    return loss(out, target), out, target


def call_step(given: dict[str, Any], batch: Any) -> None:
    """One step of the program's own, its arguments given by their names."""
    known = {
        "batch": batch,
        **dict(zip("xy", batch, strict=True)),
        **{name: given.get(name) for name in ("model", "optimizer", "loss")},
    }
    names = inspect.signature(given["step"]).parameters
    given["step"](**{name: known[name] for name in names})


def train(given: dict[str, Any], epochs: int) -> list[float]:
    """The mean loss of every epoch, or that after it where the step is the program's own."""
    model, optimizer, losses = given["model"], given.get("optimizer"), []
    for _ in range(epochs):
        model.train()
        seen = []
        for batch in islice(given["train"], 300):
            if "step" in given:
                call_step(given, batch)
                continue
            optimizer.zero_grad()
            loss = outcome(given, batch)[0]
            loss.backward()
            optimizer.step()
            seen.append(loss.item())
        if "step" in given:
            seen = [measured(given, "train")[0]]
        losses.append(sum(seen) / len(seen) if seen else math.nan)
    return losses


def measured(given: dict[str, Any], part: str = "dev") -> tuple[float, float]:
    """Loss and score in evaluation mode: accuracy, or R² of values; NaN where neither has a meaning."""
    model, losses, outs, truths = given["model"], [], [], []
    model.eval()
    with torch.no_grad():
        for batch in islice(given[part], 300):
            loss, out, target = outcome(given, batch)
            losses.append(float(loss.mean()))
            if isinstance(out, torch.Tensor) and isinstance(target, torch.Tensor):
                outs.append(out), truths.append(target)
    model.train()
    return sum(losses) / max(len(losses), 1), score(outs, truths)


def score(outs: list[torch.Tensor], truths: list[torch.Tensor]) -> float:
    if not outs:
        return math.nan
    out, truth = (torch.cat(each) for each in (outs, truths))
    if truth.dtype == torch.long and out.dim() > truth.dim() and out.shape[-1] > 1:
        kept = truth >= 0
        if truth.dim() == 2:  # zeros at the end of a sequence are padding
            kept &= truth.clamp(min=0).flip(1).cumsum(1).flip(1) > 0
        right = out.argmax(-1) == truth if out.shape[:-1] == truth.shape else out.argmax(1) == truth
        return float(right[kept].float().mean())
    if out.numel() != truth.numel():
        return math.nan
    out, truth = out.flatten().double(), truth.flatten().double()
    if set(truth.unique().tolist()) <= {0.0, 1.0}:
        bound = 0.5 if out.min() >= 0 and out.max() <= 1 else 0.0
        return float(((out > bound) == (truth > 0.5)).float().mean())
    return float(1 - ((out - truth) ** 2).mean() / truth.var())


def tried(program: Program, broken: bool, epochs: int) -> dict[str, Any]:
    try:
        given = program.build(broken)
        before, _ = measured(given)
        losses = train(given, epochs)
        after, reached = measured(given)
    except Exception as error:
        return {"raised": f"{type(error).__name__}: {str(error).splitlines()[0][:70]}"}
    return {"train": (losses[0], losses[-1]), "dev": (before, after), "score": reached}


def shown(figures: dict[str, Any]) -> str:
    if "raised" in figures:
        return figures["raised"]
    (first, last), (before, after) = figures["train"], figures["dev"]
    return f"{first:.3g} → {last:.3g} | {before:.3g} → {after:.3g} | {figures['score']:.3f}"


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="one epoch each")
    parser.add_argument("--only", default="", metavar="WORD", help="programs whose style or name holds this word")
    options = parser.parse_args(arguments)
    epochs = QUICK_EPOCHS if options.quick else EPOCHS
    figures = {}
    chosen = [each for each in programs() if options.only in f"{each.style} {each.name}"]
    print("| style | program | | train loss | dev loss | score |")
    print("| --- | --- | --- | --- | --- | --- |")
    for each in chosen:
        figures[each.name] = {"sound": tried(each, False, epochs), "faulty": tried(each, True, epochs)}
        for kind, found in figures[each.name].items():
            print(f"| {each.style} | {each.name} | {kind} | {shown(found)} |", flush=True)
    counts = Counter(each.style for each in chosen)
    print(json.dumps({"programs": len(chosen), "styles": counts, "epochs": epochs, "figures": figures}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
