"""Muon: the steps of matrices are made orthogonal."""

from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from steelyard.errors import UserError
from steelyard.knobs import Knob, knob, value
from steelyard.training.optimizers.classic import AdamW
from steelyard.training.optimizers.fused import FusedAdam, Group
from steelyard.training.optimizers.optimizer import Groups


class MuonAndAdam(FusedAdam):
    """Groups that are `hidden` take steps of `torch.optim.Muon`, the others those of AdamW."""

    def __init__(self, groups: Groups, muon: Any) -> None:
        super().__init__(groups)
        self._muon = {
            place: muon([_matrix(p.detach()) for p in group["params"]], adjust_lr_fn="match_rms_adamw")
            for place, group in enumerate(self.param_groups)
            if group["hidden"]
        }
        self.elsewhere = self._muon.keys()

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        """One step along the gradients as they are."""
        self.move()
        for place, inner in self._muon.items():
            self._orthogonal(self.param_groups[place], inner)

    def _orthogonal(self, group: Group, inner: torch.optim.Optimizer) -> None:
        """Let Muon see parameters, gradients and momenta as matrices; the first and the last share their memory."""
        matrices = []
        for parameter in group["params"]:
            if parameter.grad is not None:
                matrix = _matrix(parameter.detach())
                matrix.grad = _order(parameter.grad, parameter).flatten(1)
                state = self.state[parameter]
                if "momentum_buffer" not in state:
                    state["momentum_buffer"] = torch.zeros_like(parameter)
                inner.state[matrix] = {"momentum_buffer": _matrix(state["momentum_buffer"])}
                matrices.append(matrix)
        names = ("lr", "weight_decay", "momentum", "nesterov")
        inner.param_groups[0].update({name: group[name] for name in names}, params=matrices)
        inner.step()
        inner.state.clear()


def _matrix(tensor: Tensor) -> Tensor:
    """A view of a kernel (out, in, …) as a matrix (out, in·…); the order of the columns does not matter to Muon."""
    return _order(tensor, tensor).view(len(tensor), -1)


def _order(tensor: Tensor, like: Tensor) -> Tensor:
    """The axes of a kernel in the order in which the memory of `like` has them: channels may come last."""
    last = not like.is_contiguous() and like.ndim > 2
    return tensor.permute(0, *range(2, like.ndim), 1) if last else tensor


@dataclass(frozen=True)
class Muon(AdamW):
    """Momentum whose steps are made orthogonal, for matrices and kernels; AdamW for vectors and the last matrix.

    Steps are scaled as in section 2.2 of Liu et al. 2025 (arXiv 2502.16982), so that `lr` and `weight_decay` mean what
    they mean in AdamW. `beta1` and `beta2` are those of AdamW, `hidden_momentum` is that of Muon. Tables of embeddings
    count as matrices. Needs torch 2.9. Source: Jordan et al. 2024, "Muon: An optimizer for hidden layers".
    """

    together: ClassVar[bool] = False

    hidden_momentum: Knob = knob(0.95, 0.0, 0.9999)

    def create(self, groups: Groups) -> torch.optim.Optimizer:
        muon = getattr(torch.optim, "Muon", None)
        if muon is None:
            raise UserError(f"the optimizer 'muon' needs torch 2.9 or later, this is {torch.__version__}")
        matrices = [p for group in groups for p in group["params"] if p.ndim == 2 or p.ndim > 3]
        hidden = {id(p) for p in matrices[:-1]}
        parted: Groups = []
        for group in groups:
            for inside in (True, False):
                params = [p for p in group["params"] if (id(p) in hidden) == inside]
                if params:
                    parted.append(group | {"params": params, "hidden": inside})
        return MuonAndAdam(parted, muon)

    def settings(self, progress: float) -> dict[str, Any]:
        own = {"momentum": value(self.hidden_momentum, progress), "nesterov": True}
        return super().settings(progress) | own
