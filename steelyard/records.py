"""Everything that is said is a record first: the terminal, the page, JSON and the tests are views of these."""

from dataclasses import asdict, dataclass, field, fields, is_dataclass
from types import UnionType
from typing import Any, Literal, get_args, get_origin, get_type_hints

from steelyard.problem import Problem, Score, Task

Verdict = Literal["helps", "hurts", "no difference that matters", "undecided", "not applicable"]
Step = Literal["define", "measure", "protocol", "prepare", "baseline", "overfit", "regularise", "finish"]
Term = Literal["bias", "variance", "mismatch", "overfitting to dev"]
Dominant = Term | Literal["cannot tell yet"]
LevelName = Literal["human level", "Bayes proxy", "train", "train-dev", "dev", "test"]
SURE = 0.9  # the probability from which a term is said to dominate
STEPS: tuple[Step, ...] = ("define", "measure", "protocol", "prepare", "baseline", "overfit", "regularise", "finish")


@dataclass(frozen=True)
class Said:
    """One thing that was decided and why, in the order of the run."""

    step: Step
    text: str
    elapsed: float  # seconds on the run's clock


@dataclass(frozen=True)
class Arm:
    """A model that was tried: a family in the spot check, or a rung of the ladder to the final model.

    `seconds` is what one training of it took; `rows` the train rows it saw.
    """

    name: str
    family: str
    score: Score | None
    seconds: float
    rows: int
    note: str = ""


@dataclass(frozen=True)
class Weighed:
    """The measured effect of a technique against the incumbent, paired over seeds.

    `effect` is metric(with) - metric(without) in the metric's own unit and sign, with its 95 % interval;
    `time_ratio` training time with over without; `pairs` the raw (without, with) scores of each seed.
    """

    technique: str
    against: str
    effect: float
    low: float
    high: float
    verdict: Verdict
    pairs: tuple[tuple[float, float], ...]
    time_ratio: float = 1.0
    rows: int = 0
    reason: str = ""
    kept: bool = False

    def to_dict(self) -> dict[str, Any]:
        return asdict(self) | {"interval": [self.low, self.high], "pairs": len(self.pairs), "raw": self.pairs}


@dataclass(frozen=True)
class Level:
    """An error that is measured or given: on train, say, or that of humans."""

    name: LevelName
    error: Score


@dataclass(frozen=True)
class Gap:
    """What one level has over the one before, with its 95 % interval; `probability` that it is the largest of all."""

    term: Term
    start: LevelName | Literal["zero"]
    end: LevelName
    value: float
    low: float
    high: float
    probability: float


@dataclass(frozen=True)
class ErrorTable:
    """Where the error comes from, as errors (1 - accuracy, or RMSE for values): smaller is better in every row.

    `levels` stand in the order human level, Bayes proxy, train, train-dev, dev, test, as far as they are known; `gaps`
    are the differences between them. `dominant` is the term that is the largest with a `probability` of `SURE` or more,
    else "cannot tell yet"; `likely` the one that is probably the largest. `unit` names the error; `caveat` says from
    where bias is counted, and what that means.
    """

    unit: str
    levels: tuple[Level, ...]
    gaps: tuple[Gap, ...]
    dominant: Dominant
    probability: float
    caveat: str = ""

    def level(self, name: LevelName) -> Score | None:
        """The error at a level; None where it is not known."""
        return next((each.error for each in self.levels if each.name == name), None)

    def gap(self, term: Term) -> Gap | None:
        """The difference of that name; None where it cannot be measured."""
        return next((each for each in self.gaps if each.term == term), None)

    @property
    def likely(self) -> Term:
        """The term that is probably the largest."""
        return max(self.gaps, key=lambda gap: gap.probability).term


@dataclass(frozen=True)
class Curve:
    """A learning curve: per point the epoch, mean training loss, loss and metric on dev (None between looks)."""

    name: str
    points: tuple[tuple[int, float, float | None, float | None], ...]  # epoch, train loss, dev loss, dev score


@dataclass(frozen=True)
class Mistake:
    """One of the worst mistakes on dev: what it is, what was predicted; `values` of its row or a PNG as a data URI."""

    origin: str
    truth: str
    predicted: str
    error: float  # probability given to the truth subtracted from one, or the absolute error
    values: tuple[tuple[str, str], ...] = ()
    image: str = ""


@dataclass(frozen=True)
class TargetRow:
    """How one of several targets is predicted on dev: scores in metrics of its own, the most telling one first.

    `share` is that of yes, of a label; `baseline` the score of a dumb baseline in the first metric; `residuals` are
    (truth, predicted) of a sample of values.
    """

    name: str
    task: Task
    scores: tuple[tuple[str, Score], ...]
    baseline: float | None = None
    share: float | None = None
    residuals: tuple[tuple[float, float], ...] = ()


@dataclass(frozen=True)
class Wear:
    """How much of the winner's dev score is expected to be chance, because it was chosen among many on these rows.

    `looks` is how often a model was scored on dev, `candidates` how many competed at full size. `optimism` is in the
    metric's unit and never negative; `corrected` is the `plain` score without it. Both None: `method` says why.
    """

    looks: int
    candidates: int
    plain: Score
    optimism: float | None
    corrected: Score | None
    method: str


@dataclass(frozen=True)
class RunRecord:
    """All that a run has to say, complete at every moment; fields that are not known yet are None or empty."""

    problem: Problem
    output: str
    command: str
    seed: int
    notes: tuple[str, ...] = ()
    said: tuple[Said, ...] = ()
    protocol: dict[str, Any] = field(default_factory=dict)
    families: tuple[Arm, ...] = ()
    ladder: tuple[Arm, ...] = ()
    weighed: tuple[Weighed, ...] = ()
    curves: tuple[Curve, ...] = ()
    errors: ErrorTable | None = None
    baseline: Score | None = None
    dev: Score | None = None
    test: Score | None = None
    test_openings: int = 0
    winner: dict[str, Any] = field(default_factory=dict)  # {"family": …, "recipe": …, "members": …}
    confusion: tuple[tuple[int, ...], ...] = ()  # rows truth, columns prediction, on dev
    residuals: tuple[tuple[float, float], ...] = ()  # (truth, predicted) on a sample of dev
    course: tuple[tuple[str, float, float], ...] = ()  # of a forecast: (known until, truth, predicted) on dev, by time
    targets: tuple[TargetRow, ...] = ()  # of several targets, on dev
    mistakes: tuple[Mistake, ...] = ()
    next_steps: tuple[str, ...] = ()
    trials: int = 0
    dev_looks: int = 0  # how often a model was scored on dev
    wear: Wear | None = None
    seconds: float = 0.0
    finished: bool = False
    environment: dict[str, str] = field(default_factory=dict)


def to_plain(record: Any) -> Any:
    """A record as JSON holds it."""
    if isinstance(record, Problem):
        return record.to_dict()
    if is_dataclass(record) and not isinstance(record, type):
        return {f.name: to_plain(getattr(record, f.name)) for f in fields(record)}
    if isinstance(record, list | tuple):
        return [to_plain(item) for item in record]
    if isinstance(record, dict):
        return {str(k): to_plain(v) for k, v in record.items()}
    return record.item() if hasattr(record, "item") else record


def from_plain(plain: Any, wanted: Any) -> Any:
    """A record of the wanted type from its JSON form; fields a file does not have keep their defaults."""
    if wanted is Problem:
        return Problem.from_dict(plain)
    if is_dataclass(wanted):
        types = get_type_hints(wanted)
        return wanted(**{k: from_plain(v, types[k]) for k, v in plain.items() if k in types})  # type: ignore[operator]
    arguments = get_args(wanted)
    if plain is None or not arguments:
        return plain
    if get_origin(wanted) is tuple:
        kinds = [arguments[0]] * len(plain) if arguments[-1] is Ellipsis else list(arguments)
        return tuple(from_plain(item, kind) for item, kind in zip(plain, kinds, strict=True))
    if isinstance(wanted, UnionType):
        return from_plain(plain, next(kind for kind in arguments if kind is not type(None)))
    return plain
