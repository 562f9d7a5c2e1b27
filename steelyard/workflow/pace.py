"""Which number format a network is trained in: measured on this machine, said, and used where it pays."""

import numpy as np
import torch

from steelyard.training.measure_precision import WORTH, pays
from steelyard.trials.measure import one_thread_here
from steelyard.workflow.bench import Bench
from steelyard.workflow.families import families

FEWEST = 2000  # rows below which a training is over before the format could matter
Settings = tuple[tuple[str, str], ...]


def choose_precision(bench: Bench) -> Settings:
    """The setting of the precision for image networks, empty for float32.

    A run whose trials are counted stays in float32, so that it is the same on every machine: there it is only said.
    """
    asked = any(path.startswith("precision.") for path, _ in bench.ask.settings)
    if bench.problem.modality != "image" or asked or bench.train_rows < FEWEST:
        return ()
    ratio = float(bench.once("precision", lambda: _ratio(bench)))
    if ratio > WORTH:
        bench.say("prepare", f"trained in float32: a step in bfloat16 takes {ratio:.2f} times as long on this machine")
        return ()
    if bench.ask.seconds is None:
        words = "float32 stays, so that the run is the same elsewhere; --set precision.dtype=bfloat16 uses it"
        bench.say("prepare", f"a step in bfloat16 takes {ratio:.2f} times as long on this machine: {words}")
        return ()
    bench.say("prepare", f"trained in bfloat16: a step takes {ratio:.2f} times as long as in float32 on this machine")
    return (("precision.dtype", "bfloat16"),)


def _ratio(bench: Bench) -> float:
    """The time of a step in bfloat16 over that in float32, on one thread as trials have."""
    recipe = families(bench.problem, bench.pool.schema, bench.train_rows, bench.ask.choices)[-1]
    assert recipe.network is not None
    few = bench.pool.take(np.arange(min(len(bench.pool), 256)))
    prepared = recipe.prepare.fit(few)
    inputs = tuple(torch.from_numpy(values) for values in prepared.transform(few))
    with one_thread_here(), torch.random.fork_rng(devices=[]):
        network = recipe.network.build(prepared.shape, bench.problem.outputs)
        return pays(network.to(bench.executor.device), inputs).ratio
