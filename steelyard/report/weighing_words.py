"""What a weighing says in sentences: the noise first, then what helps and what hurts, then how it was found out."""

from collections.abc import Iterable, Sequence
from math import isfinite

from steelyard.metrics import metric
from steelyard.records import Verdict
from steelyard.report.numbers import NONE, Format, count, duration, fitting, plural
from steelyard.report.words import LOOKS, metric_name, sentence, task_line
from steelyard.weighing.comparison import Comparison, Effect, Interaction, Noise, Weighing

NAMED = 6  # arms that are named in a sentence
SHARED = "Both arms of a pair share seed and examples, so that much of this noise cancels in a difference."
DOES: dict[Verdict, tuple[str, str]] = {  # of one arm, of several
    "helps": ("helps", "help"),
    "hurts": ("hurts", "hurt"),
    "no difference that matters": ("makes no difference that matters", "make no difference that matters"),
    "undecided": ("stays undecided", "stay undecided"),
    "not applicable": ("was not weighed", "were not weighed"),
}


def measured(found: Weighing) -> list[Comparison]:
    """The comparisons that have an effect, the best first."""
    sign = metric(found.problem.metric).sign
    known = [c for c in found.comparisons if c.verdict != "not applicable" and c.pairs]
    return sorted(known, key=lambda c: -sign * c.effect if isfinite(c.effect) else float("inf"))


def unmeasured(found: Weighing) -> list[Comparison]:
    """The comparisons of which no pair was trained."""
    return [c for c in found.comparisons if c.verdict == "not applicable" or not c.pairs]


def effect_format(effects: Iterable[Effect | Comparison | Interaction]) -> Format:
    """One format for effects that are read together."""
    known = list(effects)
    return fitting([e.effect for e in known], [(e.high - e.low) / 2 for e in known])


def matters(found: Weighing) -> float:
    """The smallest effect worth having; the largest of them, should arms differ in it."""
    return max((c.matters for c in found.comparisons), default=0.0)


def p_text(p_value: float) -> str:
    """`0.012`, or `< 0.001`."""
    return NONE if p_value != p_value else "< 0.001" if p_value < 0.001 else f"{p_value:.3f}"


def share_text(share: float) -> str:
    """A probability in per cent; never 0 or 100, which nobody can know."""
    return NONE if share != share else "> 99 %" if share > 0.99 else "< 1 %" if share < 0.01 else f"{100 * share:.0f} %"


def ratio_text(value: float) -> str:
    """With over without: `1.32×`."""
    return f"{value:.2f}×" if isfinite(value) else NONE


def remark(one: Comparison) -> str:
    """What stands against an arm: the constraints it breaks, why it was given up or not weighed."""
    breaks = f"breaks {', '.join(one.breaks)}" if one.breaks else ""
    return "; ".join(text for text in (breaks, one.reason) if text)


def title(found: Weighing) -> str:
    """`mixup against tabular-mlp`, `12 arms against tabular-mlp`."""
    arms = measured(found) or found.comparisons
    return f"{arms[0].name if len(arms) == 1 else plural(len(arms), 'arm')} against {found.base}"


def lead(found: Weighing) -> str:
    """On what it was weighed, how much was trained for it, whether it came to its end."""
    pairs = sum(len(c.pairs) for c in found.comparisons)
    most = f", at most {count(found.most)} an arm" if found.most else ""
    spent = f"{plural(pairs, 'pair')}{most}; {plural(found.trials, 'training')} in {duration(found.seconds)}"
    end = " Complete." if found.complete else ""
    if pairs and not found.complete:
        end = " Not complete: time or pairs ran out before every verdict was reached."
    return f"{found.problem.target}: {task_line(found.problem)}. {spent}.{end}"


def noise_format(noise: Noise) -> Format:
    """One format for both noises."""
    known = [n for n in (noise.by_seed, noise.by_examples) if isfinite(n) and n > 0]
    return fitting(known, known)


def noise_sentence(found: Weighing) -> str:
    """How far the score moves though nothing was changed."""
    noise, name = found.noise, metric_name(found.problem.metric)
    if noise is None:
        return "How far the score moves though nothing is changed was not measured."
    write = noise_format(noise)
    seed = f"another seed moves {name} by ±{write(noise.by_seed)} (standard deviation over {noise.seeds} seeds)"
    if noise.seeds < 2:
        seed = f"one seed does not show how far another moves {name}"
    return f"{sentence(seed)}, other examples move it by ±{write(noise.by_examples)} ({count(noise.examples)} of them)."


def answers(found: Weighing) -> list[str]:
    """What helps, what hurts, and what could not be told, a line each; then the warnings."""
    known = measured(found)
    if len(found.comparisons) == 1 and known:
        return [_alone(found, known[0]), *warnings(found)]
    if not found.comparisons:
        return ["Nothing was weighed."]
    write = effect_format(known)
    lines = []
    for verdict in DOES:
        arms = unmeasured(found) if verdict == "not applicable" else [c for c in known if c.verdict == verdict]
        if arms:
            names = [c.name if verdict == "not applicable" else f"{c.name} {write.signed(c.effect)}" for c in arms]
            lines.append(f"{LOOKS[verdict].sign} {count(len(arms))} {DOES[verdict][len(arms) > 1]}: {_named(names)}.")
    return [*lines, *warnings(found)]


def _alone(found: Weighing, one: Comparison) -> str:
    write, name = effect_format([one]), metric_name(one.metric)
    better = f"one retraining with it is better than one without with a probability of {share_text(one.probability)}"
    return (
        f"{LOOKS[one.verdict].sign} {one.name} {DOES[one.verdict][0]}: {name} {write.signed(one.effect)} "
        f"({write.signed(one.low)} to {write.signed(one.high)}), p {p_text(one.p_value)}, over "
        f"{plural(len(one.pairs), 'pair')}; {better}. Training time is {ratio_text(one.time_ratio)}."
    )


def warnings(found: Weighing) -> list[str]:
    """Arms that help but cannot win, and arms that help on the whole but hurt somewhere."""
    helping = [c for c in measured(found) if c.verdict == "helps"]
    lines = [f"{c.name} helps but breaks {_named(c.breaks)}: it cannot win." for c in helping if c.breaks]
    for one in helping:
        hurt = [each.name for each in (*one.classes, *one.slices) if each.verdict == "hurts"]
        if hurt:
            lines.append(f"{one.name} helps on the whole but hurts on {_named(hurt)}.")
    return lines


def _named(names: Sequence[str]) -> str:
    more = len(names) - NAMED
    return ", ".join(names[:NAMED]) + (f" and {count(more)} more" if more > 0 else "")


def method_lines(found: Weighing) -> list[str]:
    """How the intervals were made and what was paid for looking often and for weighing many."""
    plain = {name: value for name, value in found.protocol.items() if not isinstance(value, dict)}
    protocol = ", ".join(f"{name} {value}" for name, value in plain.items() if value not in (None, "", ()))
    if sources := found.protocol.get("sources"):
        protocol += f", dev rows of {' or '.join(sources['target'])} only"
    looks = f"Dev was looked at {plural(found.dev_looks, 'time')}" if found.dev_looks else ""
    texts = (found.method, found.correction, f"protocol: {protocol}" if protocol else "", looks)
    return [f"{sentence(text).rstrip('.')}." for text in texts if text]
