"""The proxies of the Bayes error on the data of a run."""

import numpy as np

from steelyard.data.annotations import Annotations
from steelyard.data.dataset import Dataset
from steelyard.data.prepare import TablePreparation
from steelyard.data.prepare_images import ImagePreparation
from steelyard.data.prepare_series import SeriesPreparation
from steelyard.data.prepare_text import TextPreparation
from steelyard.diagnosis.bayes import bayes_proxies
from steelyard.diagnosis.near_pairs import sample
from steelyard.diagnosis.proxy import BayesProxies
from steelyard.diagnosis.votes import tallied
from steelyard.errors import UserError
from steelyard.workflow.bench import Bench
from steelyard.workflow.reopened import final_predictions

CLASSES, VALUES = ("binary", "multiclass", "ordinal"), ("regression",)
INPUTS = "inputs"


def proxies_of(bench: Bench, said: Annotations | None = None) -> BayesProxies:
    """The proxies from the rows of an open run outside its test, and what its final model predicted there out of fold.

    `said` are several annotators' labels, where there are any: they give the direct estimate. Of many rows some are
    drawn by the run's seed. Raises UserError for several targets, or where there is no final model.
    """
    task, seed = bench.problem.task, bench.ask.seed or 0
    if task not in (*CLASSES, *VALUES):
        raise UserError(f"proxies of the Bayes error are for one target, classes or values, and the task is {task}")
    final = final_predictions(bench)
    rows = sample(len(final.dev_rows), seed)
    places, predictions = final.dev_rows[rows], final.dev[rows]
    spaces = {INPUTS: space} if (space := inputs_of(bench.pool.take(places))) is not None else {}
    counts = said.counts if said is not None else None
    if said is not None and said.labels is not None:
        counts = tallied(said.labels, len(said.classes))
    classes = len(bench.problem.classes) if task in CLASSES else None
    return bayes_proxies(bench.truth[places], predictions, spaces, classes=classes, counts=counts, seed=seed)


def inputs_of(dataset: Dataset) -> np.ndarray | None:
    """The inputs as one space (n, d): numbers on one scale and 0/1 for categories, small images, latent texts, series.

    None for tables with texts or images among other columns, which have no one scale.
    """
    preparations = {
        "tabular": TablePreparation(numbers="standard"),
        "image": ImagePreparation(),
        "text": TextPreparation(features="latent"),
        "series": SeriesPreparation(),
    }
    preparation = preparations.get(dataset.schema.modality)
    if preparation is None:
        return None
    return np.asarray(preparation.fit(dataset).matrix(dataset), dtype=np.float32)
