"""Sound programs that a hasty rule would accuse: they cut graphs, compare rows, share, bound or mix on purpose."""

from collections.abc import Callable
from typing import Any

import torch
from programs import Setup, classifier, mlp
from sequences import Language, batches, drawn, program, series, tokens
from torch import nn
from torch.nn import functional as F

X = torch.randn(128, 10, generator=drawn(5))
Y = (X[:, :2] > 0).long() @ torch.tensor([1, 2])


class Variational(nn.Module):
    """A variational autoencoder: reconstruction, mean and logarithm of the variance."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.into, self.mean, self.spread = nn.Linear(10, 32), nn.Linear(32, 4), nn.Linear(32, 4)
        self.back = nn.Sequential(nn.Linear(4, 32), nn.ReLU(), nn.Linear(32, 10))

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, ...]:
        h = F.relu(self.into(x))
        mean, spread = self.mean(h), self.spread(h)
        code = mean + torch.randn_like(mean) * (spread / 2).exp() if self.training else mean
        return self.back(code), mean, spread


def evidence(out: tuple[torch.Tensor, ...], x: torch.Tensor) -> torch.Tensor:
    back, mean, spread = out
    return F.mse_loss(back, x) - 0.05 * (1 + spread - mean**2 - spread.exp()).sum(1).mean()


class Codebook(nn.Module):
    """Chooses the nearest code and hands the gradient straight through."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.into, self.back, self.codes = mlp(10, 4), mlp(4, 10), nn.Embedding(16, 4)
        nn.init.uniform_(self.codes.weight, -0.3, 0.3)

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, ...]:
        z = self.into(x)
        code = self.codes(torch.cdist(z, self.codes.weight).argmin(1))
        return self.back(z + (code - z).detach()), z, code


def commitment(out: tuple[torch.Tensor, ...], x: torch.Tensor) -> torch.Tensor:
    back, z, code = out
    return F.mse_loss(back, x) + F.mse_loss(code, z.detach()) + 0.25 * F.mse_loss(z, code.detach())


class Pairs(nn.Module):
    """Compares each row with each: the outputs are (N, N)."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.one, self.two, self.scale = mlp(10, 8), mlp(10, 8), nn.Parameter(torch.tensor(2.6))

    def forward(self, a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        return self.scale.exp() * F.normalize(self.one(a), dim=1) @ F.normalize(self.two(b), dim=1).t()


class Graph(nn.Module):
    """Nodes that see their neighbours."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.one, self.two = nn.Linear(10, 16), nn.Linear(16, 4)

    def forward(self, x: torch.Tensor, near: torch.Tensor) -> torch.Tensor:
        return self.two(near @ F.relu(self.one(near @ x)))


def graphs() -> Setup:
    near = (torch.rand(64, 64, generator=drawn(3)) < 0.1).float() + torch.eye(64)
    near = near / near.sum(1, keepdim=True)
    return program(Graph(), [(X[:64], near, Y[:64]), (X[64:], near, Y[64:])], nn.CrossEntropyLoss())


class Experts(nn.Module):
    """Every row goes to one expert."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.gate, self.experts = nn.Linear(10, 4), nn.ModuleList(mlp() for _ in range(4))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        share, chosen = self.gate(x).softmax(-1).max(-1, keepdim=True)
        return sum(each(x) * share * (chosen == k) for k, each in enumerate(self.experts))


class ActorCritic(nn.Module):
    """A policy that starts nearly even, and a value."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.body, self.policy, self.value = nn.Linear(10, 32), nn.Linear(32, 4), nn.Linear(32, 1)
        nn.init.orthogonal_(self.policy.weight, 0.01)

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        h = torch.tanh(self.body(x))
        return self.policy(h), self.value(h).squeeze(1)


def advantage(out: tuple[torch.Tensor, torch.Tensor], action: torch.Tensor, gain: torch.Tensor) -> torch.Tensor:
    chance = out[0].log_softmax(1).gather(1, action[:, None]).squeeze(1)
    return -(chance * (gain - out[1]).detach()).mean() + 0.5 * F.mse_loss(out[1], gain)


class Alike(nn.Module):
    """The distance of two rows."""

    def __init__(self) -> None:
        super().__init__()
        self.body = mlp(10, 8)

    def forward(self, a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        return (self.body(a) - self.body(b)).norm(dim=1)


def contrast(distance: torch.Tensor, alike: torch.Tensor) -> torch.Tensor:
    return (alike * distance**2 + (1 - alike) * F.relu(2 - distance) ** 2).mean()


class Cosines(nn.Module):
    """Scaled cosines as logits."""

    def __init__(self, scale: float = 16.0) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.scale, self.body, self.w = scale, mlp(10, 16), nn.Parameter(torch.randn(4, 16))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.scale * F.normalize(self.body(x)) @ F.normalize(self.w).t()


class Translator(nn.Module):
    """Reads one sequence and continues another."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.embed, self.place = nn.Embedding(20, 16), nn.Parameter(torch.randn(1, 12, 16))
        self.body, self.head = nn.Transformer(16, 2, 1, 1, 32, batch_first=True), nn.Linear(16, 20)

    def forward(self, source: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        a, b = (self.embed(ids) + self.place[:, : ids.shape[1]] for ids in (source, target))
        mask = nn.Transformer.generate_square_subsequent_mask(target.shape[1])
        return self.head(self.body(a, b, tgt_mask=mask))


def translations() -> Setup:
    target = tokens(steps=9).flip(0)
    train = batches(tokens(), target[:, :-1].clone(), target[:, 1:].clone())
    return program(Translator(), train, lambda out, y: F.cross_entropy(out.reshape(-1, 20), y.reshape(-1)))


class Packed(nn.Module):
    """A recurrent network over packed sequences."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.embed, self.read = nn.Embedding(20, 8, padding_idx=0), nn.LSTM(8, 16, batch_first=True)
        self.head = nn.Linear(16, 2)

    def forward(self, ids: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        packed = nn.utils.rnn.pack_padded_sequence(self.embed(ids), lengths, batch_first=True, enforce_sorted=False)
        return self.head(self.read(packed)[1][0][-1])


def packed() -> Setup:
    ids = tokens(padded=True)
    return program(Packed(), batches(ids, (ids > 0).sum(1), (ids[:, 0] > 9).long()), nn.CrossEntropyLoss())


def masked_tokens() -> Setup:
    ids = tokens()
    hidden = torch.rand(ids.shape, generator=drawn(6)) < 0.3
    train = batches(ids.masked_fill(hidden, 0), ids.masked_fill(~hidden, -100))
    return program(Language("full"), train, lambda out, y: F.cross_entropy(out.flatten(0, 1), y.flatten()))


def quantiles(out: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    levels = torch.tensor([0.1, 0.5, 0.9])
    off = y[:, None] - out
    return torch.maximum(levels * off, (levels - 1) * off).mean()


class LowRank(nn.Module):
    """A frozen layer, and beside it a product of two narrow ones of which the second starts at zero."""

    def __init__(self, layer: nn.Linear) -> None:
        super().__init__()
        self.layer = layer.requires_grad_(False)
        self.down = nn.Parameter(0.1 * torch.randn(4, layer.in_features))
        self.up = nn.Parameter(torch.zeros(layer.out_features, 4))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.layer(x) + x @ self.down.t() @ self.up.t()


def adapted() -> Setup:
    model = mlp()
    model[0], model[2] = LowRank(model[0]), LowRank(model[2])  # type: ignore[arg-type]
    return classifier(model, optimizer=torch.optim.Adam([p for p in model.parameters() if p.requires_grad], 1e-3))


class Long(nn.Module):
    """A recurrent network that has forgotten the beginning of a long sequence at its end."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.read, self.head = nn.LSTM(3, 8, batch_first=True), nn.Linear(8, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.read(x)[1][0][-1])


def lightning_module() -> Setup:
    import lightning

    class Module(lightning.LightningModule):
        def __init__(self) -> None:
            super().__init__()
            self.body = mlp()

        def training_step(self, batch: Any, number: int) -> torch.Tensor:
            x, y = batch
            return F.cross_entropy(self.body(x), y)

        def configure_optimizers(self) -> torch.optim.Optimizer:
            return torch.optim.Adam(self.parameters(), 1e-3)

    return {"model": Module(), "train": classifier()["train"]}


UNUSUAL: dict[str, Callable[[], Setup]] = {
    "a variational autoencoder": lambda: program(Variational(), batches(X, X), evidence),
    "a codebook": lambda: program(Codebook(), batches(X, X), commitment),
    "pairs of a batch": lambda: program(
        Pairs(), batches(X, 2 * X, Y), lambda out, y: F.cross_entropy(out, torch.arange(len(out)))
    ),
    "nodes of a graph": graphs,
    "experts": lambda: classifier(Experts()),
    "an actor and a critic": lambda: program(ActorCritic(), batches(X, Y, X[:, 0]), advantage),
    "pairs alike and unlike": lambda: program(Alike(), batches(X, X.flip(0), (Y.flip(0) == Y).float()), contrast),
    "scaled cosines": lambda: classifier(Cosines()),
    "a translator": translations,
    "packed sequences": packed,
    "masked tokens": masked_tokens,
    "quantiles": lambda: program(mlp(10, 3), batches(X, X[:, 0]), quantiles),
    "adapters of low rank": adapted,
    "a long sequence": lambda: program(Long(), series(64, 150), nn.CrossEntropyLoss()),
}
