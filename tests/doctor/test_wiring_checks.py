"""The checks of wiring name planted faults in several styles of programs, and are silent on sound ones."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from programs import Setup, Squeezed, blobs, classifier, labels, mlp, regressor, values
from sequences import (
    Language,
    Reader,
    Residual,
    TwoHeads,
    batches,
    classified,
    drawn,
    language,
    next_token,
    pictures,
    program,
    series,
    tokens,
    two_targets,
)
from torch import nn
from torch.nn import functional as F
from unusual import UNUSUAL, Cosines, lightning_module
from wired import (
    Attends,
    Bare,
    Centred,
    FirstToken,
    Heads,
    Matrices,
    Mixes,
    Plain,
    Prepared,
    Rounded,
    Segments,
    Sliced,
    Tied,
    TimeFirst,
    Towers,
    Whole,
    autoencoder,
    block,
    codes_as_values,
    first_tokens,
    forecast,
    hooked,
    inverted,
    linear,
    masked_mean,
    masks,
    maximising,
    mean_of_five,
    multi_hot,
    negative,
    no_graph,
    own_log_likelihood,
    own_squares,
    per_row,
    stacked,
    summed,
    two_inputs,
    viewed,
    with_centres,
)

from steelyard.doctor import Examination, examine

LEFT_OUT = ("SY1", "SY4", "SY5", "SY6")


def looked(setup: Setup) -> Examination:
    return examine(**setup, ignore=LEFT_OUT)


FAULTS: dict[str, tuple[str, Callable[[], Setup]]] = {
    "class weights of zero": (
        "SY226",
        lambda: classifier(loss=nn.CrossEntropyLoss(weight=torch.tensor([1.0, 0.0, 1.0, 1.0]))),
    ),
    "a class that is left out": ("SY226", lambda: classifier(loss=lambda o, y: F.cross_entropy(o, y, ignore_index=0))),
    "half of the columns are cut off": ("SY213", lambda: classifier(Sliced(5))),
    "the second input is forgotten": ("SY213", lambda: two_inputs(used=False)),
    "the first step of a sequence is read": ("SY213", lambda: program(Reader(0), series(), nn.CrossEntropyLoss())),
    "one channel is read": (
        "SY213",
        lambda: program(Prepared(Residual(1), lambda x: x[:, :1]), pictures(), nn.CrossEntropyLoss()),
    ),
    "tokens beyond the first are not read": (
        "SY213",
        lambda: program(FirstToken(), first_tokens(), nn.CrossEntropyLoss()),
    ),
    "the loss takes the first head only": (
        "SY214",
        lambda: program(TwoHeads(), two_targets(), lambda out, y, z: F.cross_entropy(out[0], y)),
    ),
    "a term has no weight": (
        "SY214",
        lambda: program(
            TwoHeads(True),
            two_targets(),
            lambda out, y, z: F.cross_entropy(out["kind"], y) + 0.0 * F.mse_loss(out["size"], z),
        ),
    ),
    "cross-entropy with a minus": ("SY215", lambda: classifier(loss=negative)),
    "an own log-likelihood without its minus": ("SY215", lambda: classifier(loss=own_log_likelihood(1.0))),
    "own squares with a minus": ("SY215", lambda: regressor(loss=own_squares(-1.0))),
    "an optimizer that maximises": ("SY215", lambda: maximising(nn.CrossEntropyLoss())),
    "one minus the targets": (
        "SY215",
        lambda: labels() | {"loss": lambda out, y: F.binary_cross_entropy_with_logits(out, 1 - y)},
    ),
    "multi-hot rows into cross-entropy": ("SY216", lambda: multi_hot(nn.CrossEntropyLoss())),
    "cross-entropy over the rows of a batch": (
        "SY216",
        lambda: regressor(loss=nn.CrossEntropyLoss(), train=[(x, (y > 0).float()) for x, y in values()], dev=None),
    ),
    "targets of -1 and 1 into logits' loss": (
        "SY216",
        lambda: labels() | {"train": [(x, 2 * y - 1) for x, y in labels()["train"]]},
    ),
    "class codes as values": ("SY216", codes_as_values),
    "one layer three times": ("SY217", lambda: classifier(stacked(block, True))),
    "a list with one layer": ("SY217", lambda: classifier(Heads(True))),
    "layers without ReLU": ("SY218", lambda: linear(nn.Linear(10, 32), nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, 4))),
    "convolutions without ReLU": (
        "SY218",
        lambda: program(
            nn.Sequential(
                nn.Conv2d(3, 8, 3),
                nn.BatchNorm2d(8),
                nn.Conv2d(8, 8, 3),
                nn.ReLU(),
                nn.AdaptiveAvgPool2d(1),
                nn.Flatten(),
                nn.Linear(8, 3),
            ),
            pictures(),
            nn.CrossEntropyLoss(),
        ),
    ),
    "weights of one's own in a row": ("SY218", lambda: classifier(Matrices())),
    "ReLU on logits": ("SY219", lambda: classifier(Squeezed(mlp(), torch.relu))),
    "tanh on logits": ("SY219", lambda: labels() | {"model": nn.Sequential(mlp(10, 3), nn.Tanh())}),
    "clamped logits": ("SY219", lambda: classifier(Squeezed(mlp(), lambda out: out.clamp(-1, 1)))),
    "attention without a mask": ("SY220", lambda: language("full")),
    "a reader of both ways": ("SY220", lambda: language("both")),
    "targets that are not shifted": (
        "SY220",
        lambda: program(Language("gru"), batches(tokens(), tokens()), next_token),
    ),
    "forecasts that see ahead": ("SY220", lambda: forecast(True)),
    "nine in ten dropped": ("SY221", lambda: linear(nn.Linear(10, 32), nn.ReLU(), nn.Dropout(0.9), nn.Linear(32, 4))),
    "dropout on the outputs": (
        "SY221",
        lambda: linear(nn.Linear(10, 32), nn.ReLU(), nn.Linear(32, 4), nn.Dropout(0.3)),
    ),
    "momentum of the past": (
        "SY222",
        lambda: linear(nn.Linear(10, 32), nn.BatchNorm1d(32, momentum=0.99), nn.ReLU(), nn.Linear(32, 4)),
    ),
    "attention over heads": ("SY225", lambda: program(Whole(1), series(), nn.CrossEntropyLoss())),
    "rounding in the middle": ("SY203", lambda: classifier(Rounded(torch.round))),
    "data in the middle": ("SY203", lambda: classifier(Rounded(lambda h: h.data))),
    "no graph in the middle": ("SY203", lambda: classifier(Rounded(no_graph))),
    "a loss whose weights are not in the optimizer": ("SY204", lambda: with_centres(False)),
    "a batch taken for time": ("SY205", lambda: program(Reader(batch_first=False), series(), nn.CrossEntropyLoss())),
    "a view for a transpose": (
        "SY205",
        lambda: program(Prepared(Reader(), viewed), series(), nn.CrossEntropyLoss()),
    ),
    "softmax over the rows of tokens": (
        "SY205",
        lambda: program(
            Squeezed(FirstToken(True), lambda out: out * out.softmax(0)), first_tokens(), nn.CrossEntropyLoss()
        ),
    ),
    "a plain tensor as a weight": ("SY207", lambda: classifier(Plain(False))),
    "layers in a dict of lists": ("SY207", lambda: classifier(Plain(True))),
    "an own loss that broadcasts": ("SY202", lambda: regressor(mlp(6, 1), loss=masked_mean)),
    "one column against three": (
        "SY202",
        lambda: regressor(mlp(6, 1), train=[(x, x[:, :3] * 2) for x, _ in values()], dev=None),
    ),
    "masks with 255": ("SY210", lambda: program(Segments(), masks(True), nn.CrossEntropyLoss())),
    "fewer outputs than classes of cells": ("SY210", lambda: program(Segments(2), masks(False), nn.CrossEntropyLoss())),
    "a bound of one's own": ("SY211", lambda: regressor(Squeezed(mlp(6, 1), lambda o: 0.5 * torch.tanh(o).squeeze(1)))),
    "an own sum over rows": ("SY212", lambda: regressor(loss=summed)),
    "a sigmoid of one's own before logits": (
        "SY201",
        lambda: labels() | {"model": Squeezed(mlp(10, 3), lambda out: 1 / (1 + torch.exp(-out)))},
    ),
    "attention over queries": ("SY225", lambda: program(Mixes(), series(), nn.CrossEntropyLoss())),
    "momentum of nothing": (
        "SY222",
        lambda: program(
            nn.Sequential(
                nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8, momentum=0.0), nn.ReLU(), nn.Flatten(), nn.Linear(392, 3)
            ),
            pictures(),
            nn.CrossEntropyLoss(),
        ),
    ),
    "a recurrent layer for logits": ("SY219", lambda: program(Bare(2), series(), nn.CrossEntropyLoss())),
    "a recurrent layer for values": (
        "SY211",
        lambda: program(Bare(1), [(x, x[:, :, :1].sum(1)) for x, _ in series()], nn.MSELoss()),
    ),
    "tokens that are all set to zero": (
        "SY206",
        lambda: program(Prepared(FirstToken(True), torch.zeros_like), first_tokens(), nn.CrossEntropyLoss()),
    ),
    "half of the tokens": (
        "SY213",
        lambda: program(Prepared(FirstToken(True), lambda ids: ids[:, :4]), first_tokens(), nn.CrossEntropyLoss()),
    ),
    "a cosine without its minus": (
        "SY215",
        lambda: program(
            mlp(10, 10), [(x, 2 * x) for x, _ in blobs()], lambda out, y: F.cosine_similarity(out, y).mean()
        ),
    ),
    "errors without their absolute value": ("SY215", lambda: regressor(loss=lambda out, y: (out - y).mean())),
    "the second term subtracted": (
        "SY215",
        lambda: program(
            TwoHeads(), two_targets(), lambda out, y, z: F.cross_entropy(out[0], y) - ((out[1] - z) ** 2).mean()
        ),
    ),
    "cosines without a scale": ("SY219", lambda: classifier(Cosines(1.0))),
    "a softmax over labels that are not exclusive": (
        "SY211",
        lambda: labels() | {"model": nn.Sequential(mlp(10, 3), nn.Softmax(1)), "loss": nn.BCELoss()},
    ),
    "a softmax within the loss": (
        "SY201",
        lambda: classifier(loss=lambda out, y: -out.softmax(1).log_softmax(1).gather(1, y[:, None]).mean()),
    ),
    "logits into a loss of probabilities": ("SY209", lambda: labels() | {"loss": nn.BCELoss()}),
    "a class too few in a loss of one's own": (
        "SY210",
        lambda: classifier(mlp(10, 3), loss=lambda out, y: F.cross_entropy(out, y)),
    ),
    "a product with a column": (
        "SY202",
        lambda: regressor(
            mlp(6, 1),
            loss=lambda out, y: (y * out**2 + (1 - y) * F.relu(2 - out) ** 2).mean(),
            dev=None,
            train=[(x, (y > 0).float()) for x, y in values()],
        ),
    ),
    "a hook that keeps a gradient back": ("SY203", lambda: classifier(hooked())),
    "a mask that is not used": ("SY213", lambda: classified(masked=False)),
    "inputs centred in place": ("SY223", lambda: classifier(Centred(True))),
    "targets changed by the loss": ("SY223", lambda: regressor(loss=lambda out, y: F.mse_loss(out, y.mul_(0.5)))),
}


SOUND: dict[str, Callable[[], Setup]] = {
    "rows without a label": lambda: classifier(
        train=[(x, torch.where(torch.arange(len(y)) % 3 == 0, -100, y)) for x, y in blobs()]
    ),
    "a branch that starts at zero": lambda: two_inputs(zero=True),
    "a recurrent reader": lambda: program(Reader(), series(), nn.CrossEntropyLoss()),
    "a reader of both ways of a whole sequence": lambda: program(Reader(both=True), series(), nn.CrossEntropyLoss()),
    "a residual network with blocks that start at zero": lambda: program(Residual(), pictures(), nn.CrossEntropyLoss()),
    "a transformer with padding": classified,
    "a transformer that reads its first step": lambda: classified("first"),
    "a causal transformer": lambda: language("causal"),
    "a recurrent model of language": lambda: language("gru"),
    "tied embeddings": lambda: program(Tied(), language("causal")["train"], next_token),
    "a bag of words": lambda: program(FirstToken(True), first_tokens(), nn.CrossEntropyLoss()),
    "two heads and features beside them": lambda: program(
        TwoHeads(True), two_targets(), lambda out, y, z: F.cross_entropy(out["kind"], y) + F.mse_loss(out["size"], z)
    ),
    "a maximised log-likelihood": lambda: maximising(own_log_likelihood(1.0)),
    "an own log-likelihood": lambda: classifier(loss=own_log_likelihood(-1.0)),
    "weighted and smoothed": lambda: classifier(loss=mean_of_five),
    "soft targets": lambda: classifier(train=[(x, 0.8 * F.one_hot(y, 4) + 0.05) for x, y in blobs()], dev=None),
    "separate blocks": lambda: classifier(stacked(block, False)),
    "one head on two layers": lambda: classifier(Heads(False)),
    "towers that share a layer": lambda: classifier(Towers()),
    "attention of one's own": lambda: program(Attends(), series(), nn.CrossEntropyLoss()),
    "bottlenecks, depthwise and factorised convolutions": lambda: program(
        inverted(), pictures(), nn.CrossEntropyLoss()
    ),
    "a linear autoencoder": autoencoder,
    "a linear model": lambda: linear(nn.Flatten(), nn.BatchNorm1d(10), nn.Linear(10, 4)),
    "capped logits": lambda: classifier(Squeezed(mlp(), lambda out: 30 * torch.tanh(out / 30))),
    "forecasts that read forwards": lambda: forecast(False),
    "inputs centred in a copy": lambda: classifier(Centred(False)),
    "attention over steps": lambda: program(Whole(), series(), nn.CrossEntropyLoss()),
    "a loss whose weights are in the optimizer": lambda: with_centres(True),
    "a sum over labels": lambda: labels() | {"loss": per_row},
    "masks with 255 left out": lambda: program(Segments(), masks(True), nn.CrossEntropyLoss(ignore_index=255)),
    "sequences first": lambda: program(TimeFirst(), series(), nn.CrossEntropyLoss()),
    "counts as values": lambda: regressor(
        train=[(x, torch.poisson(y.exp().clamp(max=6), generator=drawn())) for x, y in values()], dev=None
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_planted_fault_is_named(name: str) -> None:
    code, setup = FAULTS[name]
    found = looked(setup())
    grave = [each.code for each in found.findings if each.severity != "tip"]
    assert code in grave, (found.codes, found.not_measured.get(code))


@pytest.mark.parametrize("name", [*SOUND, *UNUSUAL])
def test_a_sound_program_has_no_finding(name: str) -> None:
    found = looked((SOUND | UNUSUAL)[name]())
    assert found.healthy, [(each.code, each.saw) for each in found.findings]
    assert all("your code raised" not in why for why in found.not_measured.values()), found.not_measured


def test_attention_without_positions_is_a_tip_and_with_them_is_none() -> None:
    told = looked(program(Whole(placed=False), series(), nn.CrossEntropyLoss()))
    assert "SY224" in told.codes and told.healthy
    assert "SY224" in looked(program(Whole(), series(), nn.CrossEntropyLoss())).passed


def test_a_lightning_module_without_forward_is_looked_at() -> None:
    pytest.importorskip("lightning")
    found = looked(lightning_module())
    assert found.healthy, [(each.code, each.saw) for each in found.findings]
    assert {"SY203", "SY210", "SY213", "SY215"} <= set(found.passed)


def small(kind: Any, config: Any, **more: Any) -> Any:
    torch.manual_seed(0)
    sizes = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32}
    return kind(config(vocab_size=50, max_position_embeddings=32, **sizes, **more))


def named(**parts: torch.Tensor) -> list[Any]:
    return [dict(zip(parts, rows, strict=True)) for rows in batches(*parts.values(), size=16)]


def test_library_models_have_no_finding_unless_they_see_the_next_token() -> None:
    library = pytest.importorskip("transformers")
    ids = torch.randint(5, 50, (64, 12), generator=drawn())
    mask = torch.ones_like(ids)
    mask[::2, 9:] = 0
    judge = small(library.BertForSequenceClassification, library.BertConfig)
    train = named(input_ids=ids * mask, attention_mask=mask, token_type_ids=0 * ids, labels=(ids[:, 0] > 25).long())
    found = looked({"model": judge, "train": train, "optimizer": torch.optim.AdamW(judge.parameters(), 1e-3)})
    assert found.healthy, [(each.code, each.saw) for each in found.findings]
    writer = small(library.LlamaForCausalLM, library.LlamaConfig)
    found = looked({"model": writer, "train": named(input_ids=ids, labels=ids.clone())})
    assert found.healthy and "SY220" in found.passed, [(each.code, each.saw) for each in found.findings]
    reader = small(library.BertForMaskedLM, library.BertConfig)
    moved = torch.cat([ids[:, 1:], torch.full_like(ids[:, :1], -100)], 1)
    found = looked({"model": reader, "train": named(input_ids=ids, labels=moved)})
    assert "SY220" in found.codes, found.not_measured.get("SY220")
