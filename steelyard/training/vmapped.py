"""Networks of the same shapes as one module by `torch.func.vmap`: what has no batched twins, such as convolutions."""

import copy
import warnings
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from steelyard.networks.layers import Dropout
from steelyard.training.stack import Unstackable


class Vmapped(nn.Module):
    """The first network's code mapped over the parameters of all; names and shapes as in `stack`."""

    def __init__(self, networks: Sequence[nn.Module]) -> None:
        super().__init__()
        if any(isinstance(layer, Dropout) and layer.p > 0 for network in networks for layer in network.modules()):
            raise Unstackable("dropout draws from the stream of each member, which cannot be mapped")
        parameters, buffers = torch.func.stack_module_state(list(networks))
        code = copy.deepcopy(networks[0]).to("meta")
        for layer in code.modules():
            if hasattr(layer, "channels_last"):
                layer.channels_last = False  # type: ignore[assignment]
        self._code = (_Call(code),)  # in a tuple: not a submodule with parameters
        self._parameters = {name: nn.Parameter(tensor.detach()) for name, tensor in parameters.items()}
        self._buffers = dict(buffers)
        self._non_persistent_buffers_set = set(buffers) - set(networks[0].state_dict())

    def encode(self, *inputs: Tensor) -> Tensor:
        """Features (members, n, …) of inputs (members, n, …)."""
        return self._mapped("encode", *inputs)

    def forward(self, features: Tensor) -> Tensor:
        """Outputs (members, n, outputs)."""
        return self._mapped("forward", features)

    @torch.no_grad()
    def probe(self, inputs: tuple[Tensor, ...]) -> None:
        """Raise Unstackable when the code cannot be mapped, or only one member at a time."""
        self.eval()
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                self.forward(self.encode(*inputs))
        except (RuntimeError, UserWarning) as error:
            raise Unstackable(f"the network cannot be mapped: {error}") from error
        finally:
            self.train()

    def _mapped(self, method: str, *inputs: Tensor) -> Tensor:
        (code,) = self._code
        code.train(self.training)

        def one(state: dict[str, Tensor], *given: Tensor) -> Tensor:
            named = {f"network.{name}": tensor for name, tensor in state.items()}
            found: Tensor = torch.func.functional_call(code, named, (method, *given))
            return found

        state = {**dict(self.named_parameters()), **dict(self.named_buffers())}
        output: Tensor = torch.func.vmap(one)(state, *inputs)
        return output


class _Call(nn.Module):
    """Calls a method of a network by name."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, method: str, *inputs: Tensor) -> Tensor:
        output: Tensor = getattr(self.network, method)(*inputs)
        return output
