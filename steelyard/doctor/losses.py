"""Which kind of outputs a loss takes, as far as its type or its function says."""

from typing import Any

from torch import nn
from torch.nn import functional as F


def takes_class_logits(loss: Any) -> bool:
    """Whether it applies softmax to the outputs by itself."""
    return isinstance(loss, nn.CrossEntropyLoss) or loss is F.cross_entropy


def takes_label_logits(loss: Any) -> bool:
    """Whether it applies the sigmoid to the outputs by itself."""
    kinds = (nn.BCEWithLogitsLoss, nn.MultiLabelSoftMarginLoss)
    return isinstance(loss, kinds) or loss is F.binary_cross_entropy_with_logits


def takes_probabilities(loss: Any) -> bool:
    """Whether it takes probabilities."""
    return isinstance(loss, nn.BCELoss) or loss is F.binary_cross_entropy


def takes_values(loss: Any) -> bool:
    """Whether it compares values."""
    kinds = (nn.MSELoss, nn.L1Loss, nn.SmoothL1Loss, nn.HuberLoss)
    return isinstance(loss, kinds) or loss in (F.mse_loss, F.l1_loss, F.smooth_l1_loss, F.huber_loss)
