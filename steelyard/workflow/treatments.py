"""Which techniques treat what the doctor finds: names as `steelyard weigh` takes them, the likeliest first.

A name with a factor, `optimizer.lr*0.3`, turns that knob of a recipe so much. Symptoms of wiring are not in the table:
they are mended, not treated.
"""

from steelyard.diagnosis.remedies import remedies
from steelyard.errors import UserError
from steelyard.knobs import Schedule, scale
from steelyard.recipe import Recipe
from steelyard.techniques import NotApplicable, catalogue
from steelyard.workflow.arms import made_of
from steelyard.workflow.bench import Bench

TREATMENTS: dict[str, tuple[str, ...]] = {
    "SY102": ("prepare.numbers=quantile", "prepare.numbers=standard", "normalization"),
    "SY106": ("prepare.target=log",),
    "SY110": ("class-weights", "over-sampling", "logit-adjustment", "decision-threshold"),
    "SY301": ("normalization",),
    "SY303": ("normalization", "activation"),
    "SY402": ("normalization", "activation", "warmup"),
    "SY403": ("network.activation=leaky-relu", "network.activation=gelu", "normalization", "optimizer.lr*0.3"),
    "SY404": ("activation", "network.activation=relu", "normalization"),
    "SY502": ("optimizer.lr*0.1", "warmup", "normalization"),
    "SY503": ("optimizer.lr*10", "one-cycle", "adam"),
    "SY504": ("optimizer.lr*0.1", "optimizer.lr*10", "adam", "normalization"),
    "SY505": ("optimizer.lr*0.3", "batch.size*4", "flat-cosine", "ema"),
    "SY506": ("optimizer.lr*0.1", "warmup", "normalization"),
    "SY508": ("optimizer.weight_decay*0.01",),
    "SY509": ("longer", "wider", "class-weights", "decision-threshold"),
    "SY510": ("wider", "deeper", "longer", "activation"),
    "SY511": ("network.depth*0.5", "normalization", "stochastic-depth"),
    "SY512": ("longer", "stopping.epochs*8", "one-cycle"),
    "SY604": ("network.normalization=layer", "batch.size*4"),
    "SY607": ("optimizer.lr*0.3", "class-weights", "over-sampling", "logit-adjustment", "normalization"),
}
VARIANCE = "SY612"  # treated by what the catalogue ranks against variance
MOST = 4  # of those


def names_for(code: str) -> tuple[str, ...]:
    """The techniques of the catalogue that treat a symptom, whatever the model."""
    if code == VARIANCE:
        return ()
    return tuple(name for name in TREATMENTS.get(code, ()) if name in catalogue())


def remedies_for(code: str, bench: Bench, recipe: Recipe, score: float) -> tuple[str, ...]:
    """What treats a symptom of a recipe with that score and applies to it, but for what was weighed without help."""
    if code == VARIANCE:
        ranked = remedies("variance", bench.problem, recipe, score, bench.record.weighed)
        return tuple(each.technique for each in ranked[:MOST])
    poor = ("hurts", "no difference that matters")
    done = {w.technique for w in bench.record.weighed if w.against == recipe.family and w.verdict in poor}
    named = (_turned(recipe, name) for name in TREATMENTS.get(code, ()))
    return tuple(name for name in named if name and name not in done and _applies(bench, recipe, name))


def _turned(recipe: Recipe, name: str) -> str:
    """A name with its factor as the number that it comes to; empty where the recipe has no such knob."""
    path, sign, factor = name.partition("*")
    if not sign:
        return name
    now = recipe.knobs().get(path)
    if not isinstance(now, int | float | Schedule) or not now:
        return ""
    by = float(factor)
    turned = max(1, round(now * by)) if isinstance(now, int) else scale(now, by)
    return f"{path}={turned:g}" if isinstance(turned, float) else f"{path}={turned}"


def _applies(bench: Bench, recipe: Recipe, name: str) -> bool:
    try:
        made = made_of(bench, recipe, name)
    except UserError:
        return False
    return not isinstance(made, NotApplicable) and made.key != recipe.key
