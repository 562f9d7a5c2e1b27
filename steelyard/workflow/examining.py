"""The doctor on a run: its network's training program is examined, and what the run kept of its training is read."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from steelyard.diagnosis.recorded import read
from steelyard.doctor import Examination, Finding, examine
from steelyard.doctor.check import checks
from steelyard.doctor.finding import RANK
from steelyard.errors import UserError
from steelyard.finish.ensemble import load_predictor
from steelyard.recipe import Recipe
from steelyard.training.model import Model
from steelyard.trials.clock import Clock
from steelyard.trials.measure import one_thread_here
from steelyard.trials.shelf import Split
from steelyard.trials.trial import Outcome
from steelyard.workflow.ask import Ask
from steelyard.workflow.bench import Bench
from steelyard.workflow.families import families
from steelyard.workflow.kept import kept_of
from steelyard.workflow.program import ROWS, Program, program_of, program_of_trained
from steelyard.workflow.reopened import reopened
from steelyard.workflow.treatments import remedies_for

Watch = Callable[[Any], None]
Read = tuple[list[Finding], list[str], dict[str, str]]  # findings, the codes of what was not there, why others are open
SECONDS = 60.0
TRAINED = ("SY206", "SY303", "SY401", "SY403", "SY404", "SY601", "SY604")  # what training may have made of a network
FEW = 2  # remedies of a finding that are weighed at once
RATES = ("SY502", "SY503")  # which say in which direction the rate is wrong
SMALL = "SY510"  # the doctor asks whether the rows can be held at all, records whether others do better
FIRST = 0.7  # of the time, at the most, for the network as it starts; the rest for the trained one


@dataclass(frozen=True)
class RunExamination(Examination):
    """What the doctor found about a run.

    `network` is the family of the network that was looked at, empty where the run has none; `against` is what its
    remedies are weighed against, as `steelyard weigh --against` takes it (empty: the run's own model).
    """

    run: str = ""
    network: str = ""
    against: str = ""

    @property
    def remedies(self) -> tuple[str, ...]:
        """The remedies of all findings, those of the gravest first, each once."""
        return tuple(dict.fromkeys(name for finding in self.findings for name in finding.remedies))

    @property
    def likeliest(self) -> tuple[str, ...]:
        """The first remedies of each finding, each once: what is worth a weighing that has little time."""
        return tuple(dict.fromkeys(name for finding in self.findings for name in finding.remedies[:FEW]))

    def command(self, names: Collection[str]) -> str:
        """What weighs remedies on the data of the run."""
        against = f" --against {self.against}" if self.against else ""
        words = " ".join(f"'{name}'" if set(name) & set("()* ") else name for name in names)
        return f"steelyard weigh {words} --run {self.run}{against}"

    def to_dict(self) -> dict[str, Any]:
        """As JSON holds it."""
        found = super().to_dict() | {"run": self.run, "network": self.network}
        return found | {"weigh": self.command(self.remedies)} if self.remedies else found


@dataclass(frozen=True)
class Chosen:
    """The training of a network that is looked at, and what its recipe is called in a weighing."""

    outcome: Outcome
    against: str


def examined(
    folder: Path,
    *,
    ignore: Collection[str] = (),
    time_limit: float = SECONDS,
    ask: Ask | None = None,
    network: Any = None,
    watch: Watch = lambda _: None,
) -> RunExamination:
    """What is wrong with the training of a run's network, and what treats it; the sealed test stays sealed.

    The network is that of the run's own model, else the best one that was tried. Raises UserError.
    """
    with reopened(folder, 0.0, ask, watch, jobs=1, network=network) as bench, one_thread_here():
        return examined_in(bench, ignore, time_limit)


def examined_in(bench: Bench, ignore: Collection[str] = (), time_limit: float = SECONDS) -> RunExamination:
    """The same of a run that is open."""
    clock, chosen = Clock(), choose(bench)
    if chosen is None:
        return _without(bench, ignore, clock)
    outcome, recipe = chosen.outcome, chosen.outcome.trial.recipe
    split = Split.of(outcome.trial, bench.pool, bench.protocol)
    if len(split.train_rows) > ROWS:
        split = Split.of(replace(outcome.trial, rows=ROWS, draw=None, of=None), bench.pool, bench.protocol)
    fresh = program_of(recipe, split.train, split.dev, bench.problem, outcome.trial.seed)
    looked = examine(**fresh.parts(), ignore=ignore, time_limit=FIRST * (time_limit - clock.now()))
    later = []
    if (model := _trained(bench, recipe)) is not None:
        program = program_of_trained(model, split.train, split.dev, outcome.trial.seed)
        later = _once_trained(program, ignore, time_limit - clock.now())
    return _joined(bench, chosen, looked, later, _unless(ignore, read(kept_of(bench, outcome))), clock)


def choose(bench: Bench) -> Chosen | None:
    """The network of the run's own model, else the best plain one that was tried, else any; None: there is none.

    One whose training diverged is taken where no other is there.
    """
    nets = [o for o in bench.journal.outcomes() if o.trial.recipe.network is not None and o.trial.fold == 0]
    won = bench.record.winner
    for place, plain in enumerate(won.get("recipes") or ([won["recipe"]] if won.get("recipe") else [])):
        mine = _of(nets, {Recipe.from_dict(plain).key})
        if mine:
            return Chosen(mine[0], "" if place == 0 else str(bench.folder / f"recipe-{place + 1}.toml"))
    keys: set[str] = set()
    for rows in {o.train_rows for o in nets} | {bench.train_rows}:
        found = families(bench.problem, bench.pool.schema, max(1, rows), bench.settings)
        keys |= {recipe.key for recipe in found if recipe.network is not None}
    ranked = sorted(_of(nets, keys) or _of(nets, None), key=lambda o: _rank(bench, o))
    return Chosen(ranked[0], ranked[0].trial.recipe.family) if ranked else None


def _of(outcomes: list[Outcome], keys: set[str] | None) -> list[Outcome]:
    """The outcomes that say something, of the recipes with those keys or of all; those on all rows come first."""
    able = [o for o in outcomes if o.status in ("done", "diverged") and (keys is None or o.trial.recipe.key in keys)]
    return sorted(able, key=lambda o: (not o.done, o.trial.rows is not None, o.trial.seed))


def _rank(bench: Bench, outcome: Outcome) -> tuple[bool, bool, float]:
    score = outcome.dev_score if outcome.dev_score is not None else -bench.metric.sign * float("inf")
    return (not outcome.done, outcome.trial.rows is not None, -bench.metric.sign * score)


def _trained(bench: Bench, recipe: Recipe) -> Model | None:
    """A trained model of that recipe in the run's folder; None where there is none, or it cannot be read."""
    try:
        members = load_predictor(bench.folder / "model").members
    except UserError:
        return None
    return next((m for m in members if m.network is not None and m.recipe.key == recipe.key), None)


def _once_trained(program: Program, ignore: Collection[str], seconds: float) -> list[Finding]:
    """What is wrong with a network after its training, of what training may do to one."""
    rest = [each.code for each in checks() if each.code not in TRAINED]
    found = examine(**program.parts(), ignore=(*rest, *ignore), time_limit=seconds)
    return [
        replace(each, saw=f"once trained, {each.saw}", evidence=each.evidence | {"trained": True})
        for each in found.findings
    ]


# -- all together -----------------------------------------------------------------------------------------------------


def _joined(
    bench: Bench,
    chosen: Chosen,
    looked: Examination,
    later: list[Finding],
    records: Read,
    clock: Clock,
) -> RunExamination:
    """One examination: what records say of a symptom stands before what was tried for a moment."""
    findings, passed, open_ = records
    tried = [each for each in looked.findings if each.code == SMALL or each.code not in passed]
    found = {each.code: each for each in (*later, *tried, *findings)}
    recipe = chosen.outcome.trial.recipe
    score = chosen.outcome.dev_score if chosen.outcome.dev_score is not None else 0.0
    named = _treated(bench, recipe, score, found.values())
    good = [code for code in dict.fromkeys((*looked.passed, *passed)) if code not in found]
    why = {code: text for code, text in (looked.not_measured | open_).items() if code not in (*found, *good)}
    return RunExamination(
        _sorted(named),
        tuple(sorted(good)),
        dict(sorted(why.items())),
        round(clock.now(), 2),
        looked.ignored,
        run=str(bench.folder),
        network=recipe.family,
        against=chosen.against,
    )


def _treated(bench: Bench, recipe: Recipe, score: float, findings: Collection[Finding]) -> list[Finding]:
    """Findings with what treats them in a recipe of that score; a knob is turned for one of them alone."""
    turned: dict[str, str] = {}  # knobs, by the finding that turns them
    found = []
    for each in sorted(findings, key=lambda finding: (finding.code not in RATES, finding.code)):
        names = remedies_for(each.code, bench, recipe, score)
        paths = {name: name.partition("=")[0] for name in names if "=" in name}
        kept = tuple(n for n in names if n not in paths or turned.setdefault(paths[n], each.code) == each.code)
        found.append(replace(each, remedies=kept))
    return found


def _without(bench: Bench, ignore: Collection[str], clock: Clock) -> RunExamination:
    """A run without a network: there is no training program, and what the final model predicted is read."""
    family = bench.record.winner.get("family", "none yet")
    findings, passed, open_ = _unless(ignore, read(kept_of(bench, None)))
    if (plain := bench.record.winner.get("recipe")) is not None:
        score = bench.record.dev.value if bench.record.dev else 0.0
        findings = _treated(bench, Recipe.from_dict(plain), score, findings)
    why = {each.code: f"because this run trained no network (its model is {family})" for each in checks()}
    left_out = tuple(each.code for each in checks() if _ignored(each.code, ignore))
    done = {*passed, *(each.code for each in findings), *left_out}
    why = {code: text for code, text in (why | open_).items() if code not in done}
    return RunExamination(_sorted(findings), tuple(passed), why, round(clock.now(), 2), left_out, run=str(bench.folder))


def _ignored(code: str, ignore: Collection[str]) -> bool:
    return bool(ignore) and code.startswith(tuple(ignore))


def _unless(ignore: Collection[str], found: Read) -> Read:
    """What was read, without what is to be left out."""
    findings, passed, open_ = found
    return (
        [each for each in findings if not _ignored(each.code, ignore)],
        [code for code in passed if not _ignored(code, ignore)],
        {code: why for code, why in open_.items() if not _ignored(code, ignore)},
    )


def _sorted(findings: Collection[Finding]) -> tuple[Finding, ...]:
    """The gravest first."""
    return tuple(sorted(findings, key=lambda each: (RANK[each.severity], each.code)))
