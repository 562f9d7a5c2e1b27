"""What layers put out in a forward pass: mean, spread, units that stay zero, outputs at their ends.

A hook for all modules hangs in torch while a step is looked at, and none in the model: it can be copied and pickled
meanwhile. A model that was compiled is not looked into. Activations that are functions (`F.relu`) are seen where the
next layer takes them in.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.module import register_module_forward_hook

END = 0.01  # of the height of a sigmoid or tanh: nearer to an end its slope is below 2 % of the largest
ELEMENTS = 1 << 16  # of one output that are looked at: rows at equal distances where there are more
CALLS = 8  # of one activation module that is used in several places
DEEP = 4  # nodes of the graph between a function and the layer that takes it in: dropout, pooling

DRY = 20  # steps without a forward pass that can be seen

RELUS = (nn.ReLU, nn.ReLU6, nn.Threshold)
ENDS: dict[type[nn.Module], tuple[float, float]] = {nn.Sigmoid: (0.0, 1.0), nn.Tanh: (-1.0, 1.0)}
TAKERS = (nn.Linear, nn.modules.conv._ConvNd)
FUNCTIONS = {"ReluBackward0": "relu", "TanhBackward0": "tanh", "SigmoidBackward0": "sigmoid"}
THROUGH = ("NativeDropoutBackward0", "MulBackward0", "MaxPool2DWithIndicesBackward0", "MaxPool2DBackward0")


@dataclass
class Looks:
    """What one forward pass gave: names with their kind, and for each what it put out, in the order of the pass."""

    stats: dict[str, tuple[Tensor, Tensor]] = field(default_factory=dict)  # sum and norm
    numbers: dict[str, int] = field(default_factory=dict)
    tops: dict[str, tuple[Tensor, int]] = field(default_factory=dict)  # the largest output of each unit, and the rows
    ends: dict[str, Tensor] = field(default_factory=dict)  # the share of outputs near an end
    rows: int = 0  # of the last output
    last: tuple[str, Tensor] | None = None  # of the pass, with its graph


class Activations:
    """Looks at every layer and activation of a model while it is on."""

    def __init__(self, model: nn.Module) -> None:
        self.model = model
        self.kinds: dict[str, str] = {}  # of everything that was seen, in the order of the pass
        self.names = {
            module: name or type(module).__name__
            for name, module in model.named_modules()
            if not any(True for _ in module.children()) or any(True for _ in module.parameters(recurse=False))
        }
        self.looks = Looks()
        self.calls: dict[nn.Module, int] = {}
        self.known: list[Any] = []  # nodes of the graph that activation modules made
        self.handle: Any = None
        self.half = False  # computed in float16, whose losses are scaled
        self.able = not any(getattr(m, "_compiled_call_impl", None) for m in model.modules())
        self.dry = 0  # steps in which nothing was seen, as of a model that was compiled

    def on(self) -> None:
        """Look from now on."""
        self.off()
        self.looks, self.calls = Looks(), {}
        if not self.able:
            return
        self.handle = register_module_forward_hook(self._hook())

    def off(self) -> None:
        """Look no longer; what the graph held is let go."""
        if self.handle is not None:
            self.handle.remove()
        self.handle, self.known, self.looks.last = None, [], None

    def missed(self) -> None:
        """A step in which nothing was seen: after some of them it looks no longer."""
        self.dry += 1
        if self.dry == DRY:
            self.able = False
            self.off()

    def _hook(self) -> Callable[[nn.Module, Any, Any], None]:
        def hook(module: nn.Module, given: Any, out: Any) -> None:
            name = self.names.get(module)
            if name is None or not self.model.training or not torch.is_grad_enabled() or torch.compiler.is_compiling():
                return
            tensor = out if isinstance(out, Tensor) else _first(out)
            if tensor is not None and tensor.is_floating_point() and tensor.numel():
                self._look(module, name, given, tensor)

        return hook

    def _look(self, module: nn.Module, name: str, given: Any, out: Tensor) -> None:
        call = self.calls[module] = self.calls.get(module, 0) + 1
        self.looks.last, self.looks.rows = (name, out), len(out) if out.dim() else 1
        self.half = self.half or out.dtype == torch.float16
        activates = isinstance(module, RELUS) or type(module) in ENDS or isinstance(module, nn.Hardtanh)
        if activates:
            self.known.append(out.grad_fn)
            if call <= CALLS:
                place = name if call == 1 else f"{name}, call {call}"
                self._activation(place, type(module).__name__, out, _ends(module), isinstance(module, RELUS))
        elif call == 1:
            if isinstance(module, TAKERS) and given and isinstance(given[0], Tensor) and given[0].grad_fn is not None:
                self._taken_in(name, given[0])
            self._stats(name, type(module).__name__, few(out.detach()))

    def _taken_in(self, name: str, given: Tensor) -> None:
        """The function before a layer, where it is one that can die or saturate."""
        node = given.grad_fn
        for _ in range(DEEP):
            if node is None or node in self.known:
                return
            function = FUNCTIONS.get(node.name())
            if function is not None:
                ends = {"tanh": (-1.0, 1.0), "sigmoid": (0.0, 1.0)}.get(function)
                self._activation(f"{function} before {name}", "function", given, ends, function == "relu")
                return
            if "View" in node.name() and (sizes := getattr(node, "_saved_self_sym_sizes", None)):
                given = given.reshape([int(size) for size in sizes])  # images that were flattened are images again
            elif node.name() not in THROUGH or not node.next_functions:
                return
            node = node.next_functions[0][0]

    def _activation(self, name: str, kind: str, out: Tensor, ends: tuple[float, float] | None, relu: bool) -> None:
        seen = few(out.detach())
        self._stats(name, kind, seen)
        if relu and seen.dim() > 1:
            units = units_axis(seen)
            self.looks.tops[name] = seen.amax([axis for axis in range(seen.dim()) if axis != units]), len(seen)
        if ends is not None:
            low, high = ends
            near = END * (high - low) / 2
            self.looks.ends[name] = ((seen - (low + high) / 2).abs() >= (high - low) / 2 - near).float().mean()

    def _stats(self, name: str, kind: str, seen: Tensor) -> None:
        self.kinds.setdefault(name, kind)
        wide = seen if seen.dtype == torch.double else seen.float()
        self.looks.stats[name] = (wide.sum(), torch.linalg.vector_norm(wide))  # var_mean is ten times slower
        self.looks.numbers[name] = seen.numel()


def few(out: Tensor) -> Tensor:
    """The rows of an output, or some of them where it is large."""
    if out.numel() <= ELEMENTS or out.dim() < 2:
        return out
    return out[:: -(-out.numel() // ELEMENTS)]


def units_axis(out: Tensor) -> int:
    """Where the units of an output stand: channels of images, the last axis of rows and of sequences."""
    return 1 if out.dim() in (2, 4, 5) else out.dim() - 1


def _ends(module: nn.Module) -> tuple[float, float] | None:
    if isinstance(module, nn.Hardtanh) and not isinstance(module, nn.ReLU6):
        return float(module.min_val), float(module.max_val)
    return ENDS.get(type(module))


def _first(out: Any) -> Tensor | None:
    given = out.values() if isinstance(out, dict) else out if isinstance(out, tuple | list) else ()
    return next((each for each in given if isinstance(each, Tensor)), None)
