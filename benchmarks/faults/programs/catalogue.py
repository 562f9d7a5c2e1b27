"""All programs, by style."""

from programs import (
    branches,
    cnn,
    embeddings,
    hugging,
    loading,
    loops,
    losses,
    mlp,
    modules,
    multilabel,
    recurrent,
    regression,
    signals,
    transformers,
)
from programs.program import Program

STYLES = (
    mlp,
    cnn,
    recurrent,
    transformers,
    regression,
    multilabel,
    loops,
    hugging,
    branches,
    losses,
    embeddings,
    modules,
    signals,
    loading,
)
PROGRAMS: tuple[Program, ...] = tuple(program for style in STYLES for program in style.PROGRAMS)
