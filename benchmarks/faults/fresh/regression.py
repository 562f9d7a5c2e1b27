"""Networks that predict values."""

from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
from program import Program
from samples import Rows, friedman
from sklearn.datasets import load_diabetes, make_regression
from sklearn.model_selection import train_test_split
from torch import Tensor, nn
from torch.optim import SGD, Adam, AdamW
from torch.utils.data import DataLoader, TensorDataset

STYLE = "regression"


def network(inputs: int = 10, outputs: int = 1, *last: nn.Module) -> nn.Sequential:
    return nn.Sequential(nn.Linear(inputs, 48), nn.SiLU(), nn.Linear(48, 48), nn.SiLU(), nn.Linear(48, outputs), *last)


def column(rows: Rows) -> Rows:
    return Rows(rows.x, rows.y.unsqueeze(1))


def loaders(train: Rows, dev: Rows) -> dict[str, Any]:
    return {
        "train": DataLoader(TensorDataset(*train), batch_size=40, shuffle=True),
        "dev": DataLoader(TensorDataset(*dev), batch_size=120),
    }


def target_without_a_column(broken: bool) -> dict[str, Any]:
    torch.manual_seed(100)
    train, dev, _ = friedman()
    if not broken:
        train, dev = column(train), column(dev)
    model = network()
    return {"model": model, "loss": nn.MSELoss(), "optimizer": Adam(model.parameters(), lr=3e-3), **loaders(train, dev)}


def one_output_for_three_values(broken: bool) -> dict[str, Any]:
    torch.manual_seed(101)
    X, Y = make_regression(900, 12, n_informative=9, n_targets=3, noise=2.0, random_state=0)
    Y = (Y - Y.mean(0)) / Y.std(0)
    X_train, X_dev, Y_train, Y_dev = (torch.tensor(part).float() for part in train_test_split(X, Y, random_state=0))
    model = network(12, 1 if broken else 3)
    return {
        "model": model,
        "loss": F.smooth_l1_loss,
        "optimizer": AdamW(model.parameters(), lr=3e-3),
        **loaders(Rows(X_train, Y_train), Rows(X_dev, Y_dev)),
    }


def prices_in_dollars(broken: bool) -> dict[str, Any]:
    torch.manual_seed(102)
    train, dev, _ = (column(rows) for rows in friedman())
    if broken:
        train, dev = (Rows(x, 210_000 + 60_000 * y) for x, y in (train, dev))
    model = network()
    return {"model": model, "loss": nn.MSELoss(), "optimizer": Adam(model.parameters(), lr=3e-3), **loaders(train, dev)}


def tanh_at_the_end(broken: bool) -> dict[str, Any]:
    torch.manual_seed(103)
    train, dev, _ = (column(rows) for rows in friedman())
    model = network(10, 1, *([nn.Tanh()] if broken else []))
    return {"model": model, "loss": nn.MSELoss(), "optimizer": Adam(model.parameters(), lr=3e-3), **loaders(train, dev)}


def relu_at_the_end(broken: bool) -> dict[str, Any]:
    torch.manual_seed(104)

    class Regressor(nn.Module):
        def __init__(self, sizes):
            super().__init__()
            self.layers = nn.ModuleList(nn.Linear(a, b) for a, b in pairwise(sizes))

        def forward(self, x):
            for layer in self.layers[:-1]:
                x = F.relu(layer(x))
            x = self.layers[-1](x)
            return (F.relu(x) if broken else x)[:, 0]

    train, dev, _ = friedman()
    model = Regressor([10, 64, 32, 1])
    return {"model": model, "loss": F.mse_loss, "optimizer": Adam(model.parameters(), lr=3e-3), **loaders(train, dev)}


class Swish(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * torch.sigmoid(x)

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        s = torch.sigmoid(x)
        return grad * (s + x * s * (1 - s))


class SwishOfMine(Swish):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        s = torch.sigmoid(x)
        return grad * (s - x * s * (1 - s))


def backward_with_wrong_sign(broken: bool) -> dict[str, Any]:
    torch.manual_seed(105)

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc1, self.fc2, self.fc3 = nn.Linear(10, 48), nn.Linear(48, 48), nn.Linear(48, 1)

        def forward(self, x):
            act = (SwishOfMine if broken else Swish).apply
            return self.fc3(act(self.fc2(act(self.fc1(x))))).squeeze(-1)

    train, dev, _ = friedman()
    model = Net()
    return {"model": model, "loss": nn.MSELoss(), "optimizer": Adam(model.parameters(), lr=3e-3), **loaders(train, dev)}


class GaussianLoss(nn.Module):
    def __init__(self, sign: int) -> None:
        super().__init__()
        self.sign = sign

    def forward(self, out: Tensor, y: Tensor) -> Tensor:
        mean, log_var = out.unbind(dim=1)
        return 0.5 * (log_var + (y - mean) ** 2 * torch.exp(self.sign * log_var)).mean()


def variance_multiplied(broken: bool) -> dict[str, Any]:
    torch.manual_seed(106)
    train, dev, _ = friedman()
    model = network(10, 2)
    return {
        "model": model,
        "loss": GaussianLoss(+1 if broken else -1),
        "optimizer": Adam(model.parameters(), lr=1e-3),
        **loaders(train, dev),
    }


def logarithm_of_a_negative(broken: bool) -> dict[str, Any]:
    torch.manual_seed(107)
    train, dev, _ = (Rows(x, torch.exp(y)) for x, y in friedman())
    model = network(10, 1, *([] if broken else [nn.Softplus()]))

    def msle(prediction: Tensor, y: Tensor) -> Tensor:
        return F.mse_loss(torch.log(prediction.squeeze(1)), torch.log(y))

    return {"model": model, "loss": msle, "optimizer": Adam(model.parameters(), lr=3e-3), **loaders(train, dev)}


def missing_targets(broken: bool) -> dict[str, Any]:
    torch.manual_seed(108)
    train, dev, _ = friedman()
    unknown = torch.rand(len(train.y), generator=torch.Generator().manual_seed(0)) < 0.05
    if broken:  # an outer join left gaps
        train = Rows(train.x, train.y.masked_fill(unknown, float("nan")))
    else:
        train = Rows(train.x[~unknown], train.y[~unknown])
    model = network()
    return {
        "model": model,
        "loss": lambda out, y: (out.squeeze(1) - y).abs().mean(),
        "optimizer": Adam(model.parameters(), lr=3e-3),
        **loaders(train, dev),
    }


def summed_over_the_batch(broken: bool) -> dict[str, Any]:
    torch.manual_seed(109)
    train, dev, _ = (column(rows) for rows in friedman())
    model = network()
    return {
        "model": model,
        "loss": nn.MSELoss(reduction="sum" if broken else "mean"),
        "optimizer": SGD(model.parameters(), lr=0.03, momentum=0.9),
        **loaders(train, dev),
    }


def dev_in_other_units(broken: bool) -> dict[str, Any]:
    torch.manual_seed(110)
    X, y = load_diabetes(return_X_y=True, scaled=False)
    X_train, X_dev, y_train, y_dev = train_test_split(X, y, test_size=0.25, random_state=0)
    center, scale = X_train.mean(0), X_train.std(0)
    mean, std = y_train.mean(), y_train.std()
    y_train = (y_train - mean) / std
    if not broken:
        y_dev = (y_dev - mean) / std
    parts = [((X_train - center) / scale, y_train), ((X_dev - center) / scale, y_dev)]
    sets = [TensorDataset(torch.tensor(x).float(), torch.tensor(t).float().view(-1, 1)) for x, t in parts]
    model = nn.Sequential(nn.Linear(10, 16), nn.Tanh(), nn.Dropout(0.2), nn.Linear(16, 1))
    return {
        "model": model,
        "loss": nn.L1Loss(),
        "train": DataLoader(sets[0], 16, shuffle=True),
        "dev": DataLoader(sets[1], 16),
        "optimizer": AdamW(model.parameters(), lr=3e-3, weight_decay=0.01),
    }


def norm_of_one_value(broken: bool) -> dict[str, Any]:
    torch.manual_seed(111)
    train, dev, _ = (column(rows) for rows in friedman())
    model = nn.Sequential(nn.Linear(10, 48), nn.LayerNorm(48), nn.ReLU(), nn.Linear(48, 1))
    if broken:
        model.append(nn.LayerNorm(1))
    return {"model": model, "loss": nn.MSELoss(), "optimizer": Adam(model.parameters(), lr=5e-3), **loaders(train, dev)}


def target_under_another_name(broken: bool) -> dict[str, Any]:
    torch.manual_seed(112)
    frame = load_diabetes(as_frame=True, scaled=False).frame
    frame["progression_in_points"] = 100 - frame["target"] / 4  # the same in another unit
    train, dev = train_test_split(frame, test_size=0.25, random_state=1)
    center, scale = train.mean(), train.std()
    train, dev = (train - center) / scale, (dev - center) / scale
    names = list(frame.columns.drop(["target"] if broken else ["target", "progression_in_points"]))

    def rows(part: pd.DataFrame) -> Rows:
        return Rows(torch.tensor(part[names].values).float(), torch.tensor(part[["target"]].values).float())

    model = nn.Sequential(nn.Linear(len(names), 16), nn.ReLU(), nn.Linear(16, 1))
    return {
        "model": model,
        "loss": nn.HuberLoss(),
        "optimizer": AdamW(model.parameters(), lr=5e-3),
        **loaders(rows(train), rows(dev)),
    }


def constant_windows(broken: bool) -> dict[str, Any]:
    torch.manual_seed(113)
    time = np.arange(1500)
    noise = np.random.default_rng(0).normal(0, 0.1, 1500)
    series = np.sin(2 * np.pi * time / 30) + 0.5 * np.sin(2 * np.pi * time / 11) + noise
    for start in range(20, 1480, 60):
        series[start : start + 12] = series[start]  # the sensor hangs now and then
    windows = np.lib.stride_tricks.sliding_window_view(series / series.std(), 13).astype(np.float32)

    class Forecast(nn.Module):
        """Each window is standardised by itself and the forecast turned back."""

        def __init__(self):
            super().__init__()
            self.net = nn.Sequential(nn.Linear(12, 32), nn.ReLU(), nn.Linear(32, 1))

        def forward(self, x):
            mean, std = x.mean(1, keepdim=True), x.std(1, keepdim=True)
            if not broken:
                std = std + 1e-2
            return self.net((x - mean) / std) * std + mean

    model = Forecast()
    train, dev = (
        Rows(torch.tensor(part[:, :12]), torch.tensor(part[:, 12:])) for part in (windows[:1100], windows[1112:])
    )
    return {"model": model, "loss": nn.MSELoss(), "optimizer": Adam(model.parameters(), lr=2e-3), **loaders(train, dev)}


def square_forgotten(broken: bool) -> dict[str, Any]:
    torch.manual_seed(114)
    train, dev, _ = (column(rows) for rows in friedman())
    model = network()
    power = 1 if broken else 2
    return {
        "model": model,
        "loss": lambda prediction, target: torch.mean((prediction - target) ** power),
        "optimizer": Adam(model.parameters(), lr=2e-3),
        **loaders(train, dev),
    }


PROGRAMS = [
    Program(
        "target without a column",
        STYLE,
        ("SY202",),
        "outputs (N, 1) and targets (N,): the loss broadcasts to (N, N)",
        target_without_a_column,
    ),
    Program(
        "one output for three values",
        STYLE,
        ("SY202", "SY210"),
        "one output is broadcast to three targets",
        one_output_for_three_values,
    ),
    Program("prices in dollars", STYLE, ("SY106",), "targets of 210,000 ± 60,000 are not scaled", prices_in_dollars),
    Program("tanh at the end", STYLE, ("SY211",), "tanh bounds predictions of standardised values", tanh_at_the_end),
    Program(
        "ReLU at the end",
        STYLE,
        ("SY211", "SY219"),
        "a ReLU at the end: half of the values are below zero",
        relu_at_the_end,
    ),
    Program(
        "backward with wrong sign",
        STYLE,
        ("SY406", "SY405"),
        "the backward of a hand-written swish subtracts where it should add",
        backward_with_wrong_sign,
    ),
    Program(
        "variance multiplied",
        STYLE,
        ("SY215",),
        "the Gaussian likelihood multiplies by the variance instead of dividing: no lower bound",
        variance_multiplied,
    ),
    Program(
        "logarithm of a negative",
        STYLE,
        ("SY506", "SY401", "SY301"),
        "the logarithm of predictions that may be negative",
        logarithm_of_a_negative,
    ),
    Program("missing targets", STYLE, ("SY101",), "one target in twenty is NaN", missing_targets),
    Program(
        "summed over the batch",
        STYLE,
        ("SY212", "SY502"),
        "reduction='sum' with a learning rate meant for the mean",
        summed_over_the_batch,
    ),
    Program(
        "dev in other units",
        STYLE,
        ("SY608", "SY602"),
        "targets of train are standardised, those of dev are not",
        dev_in_other_units,
    ),
    Program(
        "norm of one value",
        STYLE,
        ("SY206",),
        "LayerNorm(1) behind the last layer makes every output its bias",
        norm_of_one_value,
    ),
    Program(
        "target under another name",
        STYLE,
        ("SY105",),
        "a column that is the target in another unit stands among the inputs",
        target_under_another_name,
    ),
    Program(
        "constant windows",
        STYLE,
        ("SY506", "SY401", "SY301"),
        "windows are divided by their own deviation, which is 0 where the sensor hangs",
        constant_windows,
    ),
    Program(
        "square forgotten",
        STYLE,
        ("SY215",),
        "the mean error, not squared, is minimised: no lower bound",
        square_forgotten,
    ),
]
