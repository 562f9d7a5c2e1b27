"""What a forward pass and its loss call of torch: activations and losses, with the module they stand in.

Functions (`F.relu`, `torch.sigmoid`, `out.softmax(1)`) are seen as well as modules, and losses inside a model, a
training step or a function of the user's.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

ACTIVATIONS = {
    **dict.fromkeys(("relu", "relu_", "relu6", "hardtanh", "hardtanh_", "clamp_min"), "relu"),
    **dict.fromkeys(("sigmoid", "sigmoid_", "hardsigmoid", "logsigmoid"), "sigmoid"),
    **dict.fromkeys(("tanh", "tanh_"), "tanh"),
    **dict.fromkeys(("softmax", "log_softmax"), "softmax"),
    **dict.fromkeys(("leaky_relu", "leaky_relu_", "elu", "elu_", "selu", "gelu", "silu", "mish", "softplus"), "smooth"),
    **dict.fromkeys(("dropout", "dropout_", "alpha_dropout", "feature_dropout", "dropout2d"), "dropout"),
}
LOSSES = {
    "cross_entropy": "class logits",
    "nll_loss": "log probabilities",
    "binary_cross_entropy_with_logits": "label logits",
    "multilabel_soft_margin_loss": "label logits",
    "binary_cross_entropy": "probabilities",
    **dict.fromkeys(("mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss"), "values"),
}


@dataclass(frozen=True)
class Call:
    """A call of torch: its name, what it is a kind of, the tensors it took and gave, and the module around it."""

    name: str
    kind: str
    taken: tuple[Any, ...]
    options: dict[str, Any]
    out: Any
    where: str


class Tape(TorchFunctionMode):
    """Writes down calls of activations and losses while it is entered; losses that raise, too."""

    def __init__(self) -> None:
        super().__init__()
        self.activations: list[Call] = []
        self.losses: list[Call] = []
        self.path: list[str] = []

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Call, and write down what is of interest."""
        name = getattr(func, "__name__", "")
        try:
            out = func(*args, **(kwargs or {}))
        except Exception:
            if name in LOSSES:
                self.losses.append(Call(name, LOSSES[name], tuple(args), dict(kwargs or {}), None, ""))
            raise
        for kinds, kept in ((ACTIVATIONS, self.activations), (LOSSES, self.losses)):
            if name in kinds:
                where = self.path[-1] if self.path else ""
                kept.append(Call(name, kinds[name], tuple(args), dict(kwargs or {}), out, where))
        return out


@contextmanager
def taped(model: nn.Module) -> Iterator[Tape]:
    """A tape that knows in which module of the model a call stands."""
    tape, handles = Tape(), []
    for name, module in model.named_modules():
        handles.append(module.register_forward_pre_hook(lambda *_, name=name: tape.path.append(name)))
        handles.append(module.register_forward_hook(lambda *_: (tape.path.pop(), None)[1], always_call=True))
    try:
        with tape:
            yield tape
    finally:
        for handle in handles:
            handle.remove()


def argument(call: Call, place: int, name: str) -> Any:
    """An argument of a call, by its place or name; None where it was left out."""
    return call.taken[place] if len(call.taken) > place else call.options.get(name)


def tensor_pair(call: Call) -> tuple[Tensor, Tensor] | None:
    """Outputs and target of a call of a loss."""
    out, target = argument(call, 0, "input"), argument(call, 1, "target")
    return (out, target) if isinstance(out, Tensor) and isinstance(target, Tensor) else None
