"""Networks of the same shapes as one module: every leaf layer is swapped for a twin with an axis of members in front.

A stacked module takes inputs (members, n, …). Its parameters and buffers have the names they have in one network, and
the shapes they have there behind the axis of members.
"""

import copy
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from steelyard.networks.layers import Dropout

ELEMENTWISE = (
    nn.Identity,
    nn.ReLU,
    nn.LeakyReLU,
    nn.ELU,
    nn.SELU,
    nn.GELU,
    nn.SiLU,
    nn.Mish,
    nn.Tanh,
    nn.Sigmoid,
    nn.Softplus,
    nn.Hardswish,
)


class Unstackable(TypeError):
    """A layer has no batched twin."""


def stack(networks: Sequence[nn.Module]) -> nn.Module:
    """One module for networks of the same shapes; raises Unstackable when a layer has no twin or shapes differ."""
    return _twin(list(networks))


def _twin(layers: list[nn.Module]) -> nn.Module:
    first = layers[0]
    if any(type(layer) is not type(first) for layer in layers):
        raise Unstackable(f"layers differ: {sorted({type(layer).__name__ for layer in layers})}")
    for kind, twin in TWINS.items():
        if isinstance(first, kind):
            return twin(layers)
    if isinstance(first, ELEMENTWISE) and len({repr(layer) for layer in layers}) == 1:
        return first
    if not (isinstance(first, nn.Sequential) or getattr(first, "stackable", False)):
        raise Unstackable(f"{type(first).__name__} has no batched twin")
    twin_ = copy.copy(first)
    twin_._parameters = {name: _parameters(layers, name) for name in first._parameters}
    lasting = set(first._buffers) - first._non_persistent_buffers_set
    twin_._buffers = {n: _state(layers, n) if n in lasting else _shared(layers, n) for n in first._buffers}
    children = {name: [layer._modules[name] for layer in layers] for name in first._modules}
    twin_._modules = {name: _child(peers) for name, peers in children.items()}
    return twin_


def _child(peers: Sequence[nn.Module | None]) -> nn.Module | None:
    present = [peer for peer in peers if peer is not None]
    if present and len(present) < len(peers):
        raise Unstackable("a layer that some of the networks do not have")
    return _twin(present) if present else None


def _parameters(layers: Sequence[nn.Module], name: str) -> nn.Parameter | None:
    """The parameters of that name, one above the other (members, …)."""
    each = [layer._parameters[name] for layer in layers]
    if any(parameter is None for parameter in each):
        return None
    tensors = [parameter.detach() for parameter in each if parameter is not None]
    if len({tuple(tensor.shape) for tensor in tensors}) > 1:
        raise Unstackable(f"shapes of '{name}' differ: {[tuple(tensor.shape) for tensor in tensors]}")
    assert each[0] is not None
    return nn.Parameter(torch.stack(tensors), requires_grad=each[0].requires_grad)


def _shared(layers: Sequence[nn.Module], name: str) -> Tensor | None:
    """A buffer that all networks hold alike."""
    each = [layer._buffers[name] for layer in layers]
    first = each[0]
    if first is not None and any(other is None or not torch.equal(first, other) for other in each[1:]):
        raise Unstackable(f"the networks hold different '{name}'")
    return first


def _state(layers: Sequence[nn.Module], name: str) -> Tensor:
    """Buffers that training changes, one above the other (members, …)."""
    return torch.stack([getattr(layer, name) for layer in layers])


class _Affine(torch.autograd.Function):
    """x wᵀ + b for (members, n, in), (members, out, in), (members, out); gradients in the layout of the parameters."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        ctx.save_for_backward(x, weight)
        return torch.baddbmm(bias.unsqueeze(1), x, weight.transpose(1, 2))

    @staticmethod
    def backward(ctx: Any, *slopes: Any) -> Any:
        x, weight = ctx.saved_tensors
        (slope,) = slopes
        down = torch.bmm(slope, weight) if ctx.needs_input_grad[0] else None
        return down, torch.bmm(slope.transpose(1, 2), x), slope.sum(1)


class StackedLinear(nn.Module):
    """`nn.Linear` of every member at once: one batched matrix product; a head stays in float32 as in one network."""

    def __init__(self, layers: Sequence[nn.Linear]) -> None:
        super().__init__()
        self.weight = _parameters(layers, "weight")
        self.bias = _parameters(layers, "bias")
        self.precise = type(layers[0]) is not nn.Linear

    def forward(self, x: Tensor) -> Tensor:
        assert self.weight is not None
        kind = x.device.type
        if not torch.is_autocast_enabled(kind):
            if self.bias is None:
                return torch.bmm(x, self.weight.transpose(1, 2))
            output: Tensor = _Affine.apply(x, self.weight, self.bias)  # type: ignore[no-untyped-call]
            return output
        with torch.autocast(kind, enabled=not self.precise):
            product = torch.bmm(x.float() if self.precise else x, self.weight.transpose(1, 2))
        return product if self.bias is None else product + self.bias.unsqueeze(1)


class StackedLayerNorm(nn.Module):
    """`nn.LayerNorm` of every member at once, over the last axes (Ba et al. 2016, arXiv 1607.06450)."""

    def __init__(self, layers: Sequence[nn.LayerNorm]) -> None:
        super().__init__()
        self.shape, self.eps = layers[0].normalized_shape, layers[0].eps
        self.weight, self.bias = _parameters(layers, "weight"), _parameters(layers, "bias")

    def forward(self, x: Tensor) -> Tensor:
        x = F.layer_norm(x, self.shape, eps=self.eps)
        if self.weight is not None:
            x = x * self.weight.unsqueeze(1)
        return x if self.bias is None else x + self.bias.unsqueeze(1)


class StackedBatchNorm(nn.Module):
    """`nn.BatchNorm1d` of every member at once: members are further channels of one norm (arXiv 1502.03167)."""

    running_mean: Tensor
    running_var: Tensor
    num_batches_tracked: Tensor

    def __init__(self, layers: Sequence[nn.BatchNorm1d]) -> None:
        super().__init__()
        first = layers[0]
        if first.momentum is None or not first.track_running_stats:
            raise Unstackable("a batch norm without a running average")
        self.momentum, self.eps = first.momentum, first.eps
        self.weight, self.bias = _parameters(layers, "weight"), _parameters(layers, "bias")
        for name in ("running_mean", "running_var", "num_batches_tracked"):
            self.register_buffer(name, _state(layers, name))

    def forward(self, x: Tensor) -> Tensor:
        members, n, channels = x.shape
        flat = x.transpose(0, 1).reshape(n, members * channels)
        if self.training:
            self.num_batches_tracked += 1
        output = F.batch_norm(
            flat,
            self.running_mean.view(-1),
            self.running_var.view(-1),
            None if self.weight is None else self.weight.view(-1),
            None if self.bias is None else self.bias.view(-1),
            self.training,
            self.momentum,
            self.eps,
        )
        return output.view(n, members, channels).transpose(0, 1).contiguous()


class StackedDropout(nn.Module):
    """`Dropout` of every member, each with its own rate and its own random stream."""

    def __init__(self, layers: Sequence[Dropout]) -> None:
        super().__init__()
        self.peers = tuple(layers)

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return x
        factors = [peer.draw(part) for peer, part in zip(self.peers, x, strict=True)]
        if all(factor is None for factor in factors):
            return x
        whole = next(factor for factor in factors if factor is not None)
        return x * torch.stack([torch.ones_like(whole) if factor is None else factor for factor in factors])


TWINS: dict[type[nn.Module], Callable[[Any], nn.Module]] = {
    nn.Linear: StackedLinear,
    nn.LayerNorm: StackedLayerNorm,
    nn.BatchNorm1d: StackedBatchNorm,
    Dropout: StackedDropout,
}
