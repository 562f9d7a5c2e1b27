"""Layers to use in a network of one's own, with nothing else of this package.

from steelyard.layers import SpatialPyramidPooling
"""

from steelyard.networks.categorical import CategoricalEmbedding
from steelyard.networks.embeddings import Periodic
from steelyard.networks.piecewise import PiecewiseLinear
from steelyard.networks.pooling import AttentionPooling
from steelyard.networks.spatial import (
    AttentionMapPooling,
    GlobalAveragePooling,
    GlobalMaxPooling,
    SpatialPyramidPooling,
)

__all__ = [
    "AttentionMapPooling",
    "AttentionPooling",
    "CategoricalEmbedding",
    "GlobalAveragePooling",
    "GlobalMaxPooling",
    "Periodic",
    "PiecewiseLinear",
    "SpatialPyramidPooling",
]
