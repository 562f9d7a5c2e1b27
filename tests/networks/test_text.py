"""Networks for texts: padding never counts, pools and cells are what they are called, small problems are learnt."""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

sys.path.insert(0, str(Path(__file__).parents[1] / "data"))
from texts import text_problem

from steelyard.data.batches import Batch
from steelyard.data.prepare_text import TextPreparation
from steelyard.data.prepared import TextShape
from steelyard.errors import UserError
from steelyard.knobs import Linear, parse_knob
from steelyard.networks.layers import Dropout
from steelyard.networks.text import TextBag, TextCnn, TextRnn, TextTransformer
from steelyard.parts import Network
from steelyard.recipe import Recipe
from steelyard.techniques import NotApplicable, technique
from steelyard.training.losses import CrossEntropy
from steelyard.training.model import load
from steelyard.training.optimizers import AdamW
from steelyard.training.start import start
from steelyard.training.stopping import Stopping

SHAPE = TextShape(50, 12)
NETWORKS: dict[str, Network] = {
    "bag": TextBag(width=8),
    "deep bag": TextBag(width=8, depth=2, pooling="attention"),
    "cnn": TextCnn(embedding=8, width=6),
    "deep cnn": TextCnn(embedding=8, width=6, depth=2, pooling="mean"),
    "gru": TextRnn(embedding=8, width=6),
    "lstm, last": TextRnn(embedding=8, width=6, depth=2, cell="lstm", pooling="last"),
    "rnn, attention, one way": TextRnn(embedding=8, width=6, cell="rnn", bidirectional=False, pooling="attention"),
    "transformer": TextTransformer(width=8, heads=2),
    "transformer, first": TextTransformer(width=8, heads=2, depth=2, positions="waves", pooling="first"),
}
every_network = pytest.mark.parametrize("part", NETWORKS.values(), ids=list(NETWORKS))


def batch(rows: int = 40, longest: int = 9) -> torch.Tensor:
    """Token ids (rows, 12) of texts of 1 to `longest` tokens."""
    stream = torch.Generator().manual_seed(1)
    ids = torch.randint(4, SHAPE.tokens, (rows, SHAPE.length), generator=stream)
    lengths = torch.randint(1, longest + 1, (rows, 1), generator=stream)
    return ids * (torch.arange(SHAPE.length) < lengths)


def built(part: Network, shape: TextShape = SHAPE) -> torch.nn.Module:
    torch.manual_seed(0)
    return part.build(shape, 3).eval()


def outputs(network: torch.nn.Module, ids: torch.Tensor) -> torch.Tensor:
    with torch.inference_mode():
        return network(network.encode(ids))


@every_network
def test_features_end_in_a_mask_and_are_as_long_as_the_longest_text(part: Network):
    network = built(part)
    features = network.encode(batch(longest=9))
    assert features.shape[:2] == (40, 9) and torch.equal(features[..., -1], (batch()[:, :9] > 0).float())
    assert not features[..., :-1][features[..., -1] == 0].any()
    assert network.represent(features).shape == (40, network.represented)
    assert torch.allclose(network(features), network.head(network.represent(features)))


@every_network
def test_padding_does_not_change_the_outputs(part: Network):
    network, ids = built(part), batch()
    together = outputs(network, ids)
    alone = torch.cat([outputs(network, row[None, : int((row > 0).sum())]) for row in ids])
    torch.testing.assert_close(together, alone, atol=1e-5, rtol=1e-4)


@every_network
def test_the_order_of_rows_does_not_matter(part: Network):
    network, ids = built(part), batch()
    order = torch.randperm(len(ids), generator=torch.Generator().manual_seed(2))
    torch.testing.assert_close(outputs(network, ids)[order], outputs(network, ids[order]), atol=1e-5, rtol=1e-4)


@every_network
def test_empty_texts_give_finite_outputs_and_gradients(part: Network):
    network, ids = built(part).train(), batch()
    ids[:9] = 0
    for given in (ids, torch.zeros_like(ids)):
        network.zero_grad()
        found = network(network.encode(given))
        found.square().sum().backward()
        assert found.isfinite().all()
        assert all(p.grad is None or p.grad.isfinite().all() for p in network.parameters())


@every_network
def test_every_parameter_gets_a_gradient(part: Network):
    network = built(part).train()
    torch.nn.init.normal_(network.head.weight)  # what stands at zero first lets no gradient through
    for name, weight in network.named_parameters():
        if name.endswith("score.weight"):
            torch.nn.init.normal_(weight)
    network(network.encode(batch())).square().sum().backward()
    assert [name for name, p in network.named_parameters() if p.grad is None or not p.grad.any()] == []


@every_network
def test_first_outputs_are_near_zero(part: Network):
    assert outputs(built(part), batch()).abs().max() < 0.3


@every_network
def test_blended_features_are_read_as_features(part: Network):
    network = built(part)
    features = network.encode(batch())
    mixed = features.flip(0).lerp(features, 0.3)
    assert network(mixed).isfinite().all()


@every_network
def test_dropout_draws_from_its_own_stream_and_follows_its_schedule(part: Network):
    part = replace(part, dropout=Linear(0.5, 0.0), embedding_dropout=0.4)
    network = built(part).train()
    rates = {layer.knob: layer.p for layer in network.modules() if isinstance(layer, Dropout)}
    assert rates == {"dropout": 0.5, "embedding_dropout": 0.4}
    found = []
    for _ in range(2):
        for layer in network.modules():
            if isinstance(layer, Dropout):
                layer.stream = torch.Generator().manual_seed(7)
        found.append(network(network.encode(batch())))
    assert torch.equal(*found)
    part.turn(network, 1.0)
    assert {layer.p for layer in network.modules() if isinstance(layer, Dropout) and layer.knob == "dropout"} == {0.0}


def recipe(part: Network, epochs: int = 12, **prepare: object) -> Recipe:
    return Recipe(
        TextPreparation(min_count=1, **prepare),
        network=part,
        loss=CrossEntropy(),
        optimizer=AdamW(lr=parse_knob("cosine(0.02, 0)")),
        batch=Batch(16),
        stopping=Stopping(epochs),
    )


@every_network
def test_topics_are_learnt_and_a_saved_network_predicts_the_same(part: Network, tmp_path: Path):
    dataset, problem = text_problem(120)
    part = replace(part, dropout=0.1, embedding_dropout=0.1)
    model, epochs = start(recipe(part), dataset.take(np.arange(90)), problem, 0)
    for _ in epochs:
        pass
    new = dataset.take(np.arange(90, 120))
    found = model.predict(new)
    assert (found.argmax(axis=1) == new.target).mean() > 0.85
    model.save(tmp_path / "model")
    assert np.array_equal(load(tmp_path / "model").predict(new), found)


def test_vectors_are_where_a_network_starts_and_stay_when_frozen(tmp_path: Path):
    dataset, problem = text_problem(40)
    file = tmp_path / "small.vec"
    file.write_text("roses 1 0 0 0\nbutter 0 1 0 0\nunheard 0 0 1 0\n", encoding="utf-8")
    tables = {}
    for frozen in (True, False):
        part = TextBag(frozen=frozen)
        model, epochs = start(recipe(part, 2, vectors=str(file)), dataset, problem, 0)
        first = model.network.tokens.table.detach().clone()
        assert torch.equal(first, torch.from_numpy(model.prepared.shape.vectors))
        for _ in epochs:
            pass
        tables[frozen] = torch.equal(first, model.network.tokens.table)
    assert tables == {True: True, False: False}
    model.save(tmp_path / "model")
    file.unlink()
    assert np.array_equal(load(tmp_path / "model").predict(dataset), model.predict(dataset))


def test_heads_that_do_not_fit_the_width_are_the_users_error():
    with pytest.raises(UserError, match="cannot be shared out among 3 heads"):
        TextTransformer(width=8, heads=3).build(SHAPE, 2)


@pytest.mark.parametrize("name", ["dropout", "embedding-dropout", "wider", "deeper", "longer", "mixup"])
def test_techniques_for_networks_apply_to_texts(name: str):
    _, problem = text_problem(10)
    for part in (TextBag(), TextCnn(), TextRnn(), TextTransformer()):
        part = replace(part, dropout=0.0, embedding_dropout=0.0)
        changed = technique(name)().apply(recipe(part), problem)
        assert isinstance(changed, Recipe) and changed != recipe(part), (name, part.kind)
        assert Recipe.from_toml(changed.to_toml()) == changed


def test_dropout_does_not_lower_what_a_network_for_texts_starts_with():
    _, problem = text_problem(10)
    assert isinstance(technique("dropout")().apply(recipe(TextCnn()), problem), NotApplicable)
    assert technique("dropout")(p=0.7).apply(recipe(TextCnn()), problem).network.dropout == 0.7
