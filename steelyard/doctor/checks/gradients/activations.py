"""What activations between layers put out, units on the last axis, whether they are modules or functions."""

from typing import Any

from torch import Tensor, nn

from steelyard.doctor.batch import Batch
from steelyard.doctor.case import Case
from steelyard.doctor.checks.wiring.probing import outs, same_place
from steelyard.doctor.tape import taped

CONVS = (nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)
NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d, nn.InstanceNorm1d, nn.InstanceNorm2d, nn.GroupNorm)


def hidden(case: Case, batch: Batch, kinds: tuple[str, ...]) -> list[tuple[str, Tensor]]:
    """Of each activation of these kinds within the model its name and what it puts out, (values, units).

    What the model ends with is left out: it has checks of its own. Gates inside torch's recurrent layers are not seen.
    """
    second: list[Tensor] = []  # outputs (N, units, length) of which the units are not on the last axis

    def keep(_: nn.Module, __: Any, out: Any) -> None:
        if isinstance(out, Tensor) and out.dim() == 3:
            second.append(out)

    handles = [m.register_forward_hook(keep) for m in case.model.modules() if isinstance(m, (*CONVS, *NORMS))]
    try:
        with taped(case.model) as tape:
            ends = outs(case, batch)
    finally:
        for handle in handles:
            handle.remove()
    found: list[tuple[str, Tensor]] = []
    counts: dict[str, int] = {}
    for call in tape.activations:
        out = call.out
        if call.kind not in kinds or not isinstance(out, Tensor) or out.dim() < 2:
            continue
        if any(same_place(out, end) for end in ends):
            continue
        plain = f"{call.name.rstrip('_')} in {call.where}" if call.where else call.name.rstrip("_")
        name = call.where if isinstance(_at(case.model, call.where), nn.ReLU | nn.Sigmoid | nn.Tanh) else plain
        counts[name] = counts.get(name, 0) + 1
        name = name if counts[name] == 1 else f"{name} ({counts[name]})"
        given = call.taken[0] if call.taken else out
        turned = out.dim() > 3 or (out.dim() == 3 and any(same_place(given, each) for each in second))
        found.append((name, (out.movedim(1, -1) if turned else out).reshape(-1, out.shape[1 if turned else -1])))
    return found


def _at(model: nn.Module, path: str) -> nn.Module | None:
    return model.get_submodule(path) if path else None
