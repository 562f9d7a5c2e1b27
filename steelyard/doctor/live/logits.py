"""Which layer puts out the logits of classes, as the graph of the loss says, and which classes they stand for."""

from typing import Any

from torch import Tensor

from steelyard.doctor.live.record import Predicted

NEAR, FAR = 16, 8  # nodes of the graph looked at: from the loss to its softmax, from there to the layer
SHAPES = ("View", "Transpose", "Permute", "Slice", "Select", "Squeeze", "Unsqueeze", "ToCopy", "Clone", "Alias")
TRIES = 3


class Logits:
    """Knows the layer once the graph of a loss has led to it."""

    def __init__(self) -> None:
        self.layer = ""
        self.tried = 0
        self.classes = 0

    def look(self, last: tuple[str, Tensor] | None, loss: Tensor | None) -> Predicted | None:
        """What the classes of the rows are, where the last layer of a pass (its name, its output) puts out logits."""
        if last is None or (self.tried >= TRIES and not self.layer):
            return None
        name, out = last
        if not self.layer:
            self.tried += 1
            if loss is not None and _leads_to(loss, out):
                self.layer, self.classes = name, out.shape[1 if out.dim() > 3 else -1]
        return predicted(out.detach()) if name == self.layer else None


def predicted(out: Tensor) -> Predicted | None:
    """Logits (rows, classes), (rows, positions, classes) or (rows, classes, height, width …)."""
    if out.dim() < 2 or not out.is_floating_point():
        return None
    logits = (out if out.dim() < 4 else out.movedim(1, -1)).reshape(-1, out.shape[-1 if out.dim() < 4 else 1]).float()
    if logits.shape[1] < 2 or len(logits) < 2:
        return None
    classes = logits.argmax(1)
    which = int(classes[0])
    if not bool((classes == which).all()):
        return Predicted(False, which, len(logits), 0.0)
    centred = logits - logits.mean(1, keepdim=True)
    between = float(centred.mean(0).std(correction=0))
    within = float(centred.std(0, correction=0).mean())
    return Predicted(True, which, len(logits), within / max(between, 1e-12))


def _leads_to(loss: Tensor, out: Tensor) -> bool:
    """Whether the loss is a log-softmax of that output."""
    node = _softmax(loss.grad_fn)
    for _ in range(FAR):
        if node is None:
            return False
        if node is out.grad_fn:
            return True
        if not any(shape in node.name() for shape in SHAPES) or not node.next_functions:
            return False
        node = node.next_functions[0][0]
    return False


def _softmax(start: Any) -> Any:
    """What comes before the first log-softmax below a node; None where there is none."""
    queue, seen = [start], 0
    while queue and seen < NEAR:
        node = queue.pop(0)
        if node is None:
            continue
        seen += 1
        if "LogSoftmax" in node.name():
            return node.next_functions[0][0]
        queue += [each for each, _ in node.next_functions]
    return None
