"""The page of shift: are sources told apart, what gives them away, and what kind of shift it is."""

from steelyard.diagnosis.shift import Shift, Shifts
from steelyard.diagnosis.shift.kinds import TargetShift, Verdict
from steelyard.diagnosis.shift.tells import Tell
from steelyard.report.figures import Mark, intervals
from steelyard.report.figures.histograms import histograms
from steelyard.report.numbers import count, plural
from steelyard.report.sheet import Part, sheet
from steelyard.report.shift_tables import pairs_table, target_table, tells_table, typical
from steelyard.report.weighing_words import p_text
from steelyard.report.words import sentence

NAMED, DRAWN = 3, 12  # features in a sentence, in a drawing
MEANS: dict[Verdict, str] = {
    "no shift seen": "nothing says that they come from different distributions",
    "inputs differ": "whether the target shifted as well is not known without its values on both sides",
    "covariate shift": "the inputs differ, but nothing says that the same inputs have other targets: more rows like "
    "those of {second}, or weighting, can help",
    "label shift": "the target differs, but rows with the same target look alike: shares of the classes, or the "
    "threshold, are what to correct",
    "covariate and label shift": "the target differs, and rows with the same target look different too",
    "relation shift": "the same inputs have other targets: only labelled rows like those of {second} can help",
}


def shift_page(found: Shifts) -> str:
    """The page as HTML."""
    lead = f"{plural(len(found.pairs), 'pair')} of sources compared: {found.source}"
    answer = [sentence(text) for text in said(found)]
    return sheet("Do the data come from one distribution?", lead, answer, "", parts(found), found.command)


def said(found: Shifts) -> list[str]:
    """The findings, a sentence each: the pairs that differ most first."""
    lines = []
    for pair in sorted(found.pairs, key=lambda pair: (not pair.seen, -pair.inputs.auc)):
        between = f"Between {pair.first} and {pair.second}"
        lines.append(f"{between}: {pair.verdict} (AUC {area(pair)}; 0.5 is chance): {means(pair)}.")
        seen = [tell for tell in pair.tells if tell.seen]
        if pair.seen and seen:
            told = "; ".join(words_of(tell) for tell in seen[:NAMED])
            more = f"; and {len(seen) - NAMED} more" if len(seen) > NAMED else ""
            lines.append(f"What gives {pair.second} away: {told}{more}.")
        lines += [*_moved(pair), *(f"{sentence(note)}." for note in pair.notes)]
    return [*lines, *([f"{sentence(found.opened)}."] if found.opened else [])]


def parts(found: Shifts) -> list[Part]:
    """The AUC of every pair, then of each pair what gives it away and what differs in the target."""
    marks = [_pair(pair) for pair in found.pairs]
    text = (
        "A quick model is asked which source a row comes from, on rows it was not learnt from. The AUC is how often it "
        "ranks two rows of different sources rightly: 0.5 is chance, 1 means that no row can be taken for one of the "
        "other source. 95 % intervals; where one lies above 0.5, a score on one source says little about the other."
    )
    drawn = intervals(marks, "How well pairs of sources are told apart", "AUC", False, 0.5)
    made = [Part("Told apart", text, drawn, pairs_table(found))]
    for pair in found.pairs:
        made += _of_pair(pair)
    return made


def _moved(pair: Shift) -> list[str]:
    """How the target differs, where it surely does."""
    target = pair.target
    if target is None or target.p >= 0.05 or not pair.seen:
        return []
    if target.middles is not None:
        return [f"The target's median is {target.middles[0]:.4g} against {target.middles[1]:.4g} in {pair.second}."]
    widest = max(target.shares, key=lambda share: abs(share.second - share.first))
    return [f"The target differs: '{widest.name}' {widest.first:.1%} against {widest.second:.1%} in {pair.second}."]


def means(pair: Shift) -> str:
    """What the verdict means for the reader."""
    if pair.apart and pair.verdict == "covariate shift":
        return f"the inputs hardly overlap: whether the same inputs have other targets in {pair.second} cannot be told"
    return MEANS[pair.verdict].format(second=pair.second)


def area(pair: Shift) -> str:
    """The AUC of a pair with its interval."""
    return f"{pair.inputs.auc:.3f}, {pair.inputs.low:.3f} to {pair.inputs.high:.3f}"


def words_of(tell: Tell) -> str:
    """What is different in a feature, in the words of a reader."""
    first, second = (typical(tell, value) for value in tell.typical)
    if tell.kind in {"number", "date"}:
        way = "higher" if tell.auc > 0.5 else "lower"
        return f"{tell.name} is {way} (median {first} against {second})"
    return f"{tell.what or tell.name}: {first} against {second}"


def _of_pair(pair: Shift) -> list[Part]:
    title = f"{pair.first} and {pair.second}"
    if not pair.tells:
        return []
    made = [Part(title, sentence(means(pair)) + ".")]
    seen = [tell for tell in pair.tells if tell.seen][:DRAWN]
    if pair.seen and seen:
        text = (
            f"Each feature alone, the direction left out: how well {pair.second} is told from {pair.first} by nothing "
            "else. The first ones are the first to look at in how the data came to be."
        )
        drawn = intervals([_alone(t) for t in seen], "What each feature gives away alone", "AUC alone", False, 0.5)
        made.append(Part("What gives it away", text, drawn, under=True))
    pictures = [(tell.what or tell.name, tell.histogram) for tell in pair.tells if tell.histogram is not None]
    if pair.seen and pictures:
        drawn = histograms(pictures, (pair.first, pair.second), "Distributions of the most telling features")
        made.append(Part("How they differ", "Shares of the rows of each source.", drawn, under=True))
    if pair.target is not None:
        made.append(Part("The target", _of_target(pair, pair.target), table=target_table(pair), under=True))
    text = (
        "The effect is Kolmogorov and Smirnov's distance of numbers, Cramér's V of categories; p-values are corrected "
        "for the number of features (Holm). Importance is what the AUC of the model of all features loses when one is "
        "shuffled: features that say the same hide one another."
    )
    folded = f"All {count(len(pair.tells))} features"
    made.append(Part("Every feature", text, table=tells_table(pair), sortable=True, folded=folded, under=True))
    return made


def _of_target(pair: Shift, target: TargetShift) -> str:
    said_ = [f"The target's distribution: p {p_text(target.p)}, effect {target.effect:.3f}."]
    if target.middles is not None:
        said_.append(
            f"Its median is {target.middles[0]:.4g} in {pair.first}, {target.middles[1]:.4g} in {pair.second}."
        )
    if target.within is None:
        said_.append("Too few rows have the same target in both to compare them alone.")
    else:
        within = target.within
        said_.append(
            f"Among rows with the same targets the sources are told apart with AUC {within.auc:.3f} ({within.low:.3f} "
            f"to {within.high:.3f})."
        )
    known = [("all rows", target.raw_relation), ("rows with the same targets", target.relation)]
    told = [f"{g[0]:+.3f} ({g[1]:+.3f} to {g[2]:+.3f}) over {where}" for where, g in known if g is not None]
    said_.append(f"Knowing the target adds to the AUC by inputs {', '.join(told)}; both must, for a relation shift.")
    return " ".join(said_)


def _pair(pair: Shift) -> Mark:
    inputs, colour = pair.inputs, "bad" if pair.seen else "accent"
    label = f"{pair.first} / {pair.second}"
    return Mark(label, inputs.auc, inputs.low, inputs.high, area(pair), f"{inputs.auc:.3f}", colour)


def _alone(tell: Tell) -> Mark:
    value, low, high = (
        (tell.auc, tell.low, tell.high) if tell.auc >= 0.5 else (1 - tell.auc, 1 - tell.high, 1 - tell.low)
    )
    return Mark(tell.what or tell.name, value, low, high, f"{value:.3f} ({low:.3f} to {high:.3f})", f"{value:.3f}")
