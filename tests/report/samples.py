"""Records as real runs write them: a binary table, an image set with ten classes, a regression, and odd ones."""

import base64
import io
import math
from dataclasses import replace

import numpy as np
from PIL import Image

from steelyard.diagnosis.errors import table_from
from steelyard.problem import Constraint, Problem, Score
from steelyard.records import Arm, Curve, ErrorTable, LevelName, Mistake, RunRecord, Said, Wear, Weighed

ENVIRONMENT = {
    "steelyard": "0.1.0",
    "python": "3.12.8",
    "platform": "Linux x86_64, 2 cores",
    "torch": "2.13.0+cpu",
    "scikit-learn": "1.7.2",
    "numpy": "2.4.6",
}


def score(value: float, half: float, examples: int) -> Score:
    return Score(value, value - half, value + half, examples)


def table(unit: str, human: float | None, train: Score, dev: Score, test: Score, caveat: str) -> ErrorTable:
    levels: dict[LevelName, Score] = {} if human is None else {"human level": Score(human, human, human, 0)}
    return table_from(unit, levels | {"train": train, "dev": dev, "test": test}, caveat=caveat)


def curve(name: str, epochs: int, best: int, start: float, floor: float, top: float) -> Curve:
    """A curve whose dev loss is lowest at `best` and rises from there."""
    stream = np.random.default_rng(7)
    points = []
    for epoch in range(1, epochs + 1):
        train = floor * 0.6 + start * math.exp(-epoch / (epochs / 4))
        dev = floor + (start - floor) * math.exp(-epoch / (best / 2.5)) + max(0, epoch - best) * 0.004 * start
        wiggle = float(stream.normal(0, 0.006 * start))
        points.append((epoch, train, dev + wiggle, top - 0.12 * math.exp(-epoch / (best / 2)) - wiggle / 4))
    return Curve(name, tuple(points))


def weighed(name: str, effect: float, half: float, verdict: str, kept: bool = False, base: float = 0.871) -> Weighed:
    pairs = tuple((base + d, base + d + effect + d / 2) for d in (-0.001, 0.0, 0.001))
    return Weighed(
        name, "tabular-mlp, scaled", effect, effect - half, effect + half, verdict, pairs,
        1.0 + 20 * abs(effect / base), 22_140, "", kept,
    )  # fmt: skip


def not_applicable(name: str, reason: str) -> Weighed:
    return Weighed(name, "boosting", 0.0, 0.0, 0.0, "not applicable", (), reason=reason)


def adult() -> RunRecord:
    """A finished run on a binary table."""
    problem = Problem(
        "binary", "tabular", "income", 32_561, ("<=50K", ">50K"), "accuracy", (Constraint("latency_ms", "<=", 5.0),)
    )
    return RunRecord(
        problem=problem,
        output="runs/adult",
        command="steelyard run adult.csv --target income --budget 10m --constraint 'latency_ms<=5'",
        seed=0,
        notes=(
            "target 'income' has two values, so this is a binary classification",
            "'?' is read as missing in workclass, occupation and native-country (2,399 rows)",
            "column 'fnlwgt' is a number with 21,648 different values; it is kept",
            "24 exact duplicates are kept together on one side of every split",
        ),
        said=(
            Said("define", "read 32,561 rows and 14 columns; predict 'income' (<=50K, >50K)", 0.4),
            Said("measure", "accuracy: the rarer class is 24 % of the rows, not rare enough to mislead", 0.5),
            Said("protocol", "hold-out: 22,140 rows train, 3,908 dev, 6,513 test are sealed", 0.7),
            Said("prepare", "numbers are scaled by their median and quartiles, categories are one-hot", 1.1),
            Said("baseline", "a dumb baseline (always the same answer) scores 0.7592 (0.7456 to 0.7725)", 1.9),
            Said("baseline", "statistical power: boosting beats the baseline by 0.1113 (0.1004 to 0.1222)", 31.0),
            Said("overfit", "tabular-mlp scaled up (start 0.8521, longer 0.8529, wider 0.8547): dev loss was lowest "
                 "at epoch 19 of 60 and rose while train loss went on falling", 118.0),
            Said("regularise", "variance dominates: weighing what treats it, three pairs each", 120.0),
            Said("regularise", "kept weight-decay and ema: together +0.0049 (0.0021 to 0.0077)", 402.0),
            Said("finish", "an ensemble of five; the test was opened once", 561.0),
        ),
        protocol={"kind": "holdout", "folds": 1, "seed": 0, "rows": 26_048, "ready_dev": None},
        families=(
            Arm("boosting", "boosting", score(0.8705, 0.0103, 3908), 3.1, 22_140),
            Arm("forest", "forest", score(0.8572, 0.0109, 3908), 6.4, 22_140),
            Arm("tabular-mlp", "tabular-mlp", score(0.8521, 0.0110, 3908), 21.7, 22_140),
            Arm("linear", "linear", score(0.8503, 0.0111, 3908), 1.2, 22_140),
            Arm("neighbors", "neighbors", score(0.8286, 0.0118, 3908), 0.9, 4000, "on 4000 rows"),
            Arm("dummy", "dummy", score(0.7592, 0.0134, 3908), 0.1, 22_140),
        ),
        ladder=(
            Arm("dumb baseline", "dummy", score(0.7592, 0.0134, 3908), 0.1, 22_140, "always <=50K"),
            Arm("best family", "boosting", score(0.8705, 0.0103, 3908), 3.1, 22_140),
            Arm("boosting, scaled", "boosting", score(0.8718, 0.0102, 3908), 7.2, 22_140, "twice the trees"),
            Arm("with what helped", "boosting", score(0.8742, 0.0101, 3908), 7.9, 22_140, "weight-decay, ema"),
            Arm("ensemble of five", "boosting", score(0.8759, 0.0100, 3908), 38.0, 22_140),
        ),
        weighed=(
            weighed("weight-decay", 0.0031, 0.0022, "helps", kept=True),
            weighed("ema", 0.0024, 0.0019, "helps", kept=True),
            weighed("dropout", 0.0012, 0.0021, "undecided"),
            weighed("label-smoothing", 0.0002, 0.0011, "no difference that matters"),
            weighed("mixup", -0.0006, 0.0024, "undecided"),
            weighed("one-cycle", 0.0009, 0.0028, "undecided"),
            weighed("class-weights", -0.0214, 0.0048, "hurts"),
            weighed("over-sampling", -0.0187, 0.0051, "hurts"),
            not_applicable("shifted-crops", "it moves pixels, and this is a table"),
            not_applicable("flips", "it mirrors pixels, and this is a table"),
        ),
        curves=(
            curve("tabular-mlp", 60, 19, 0.62, 0.31, 0.856),
            curve("tabular-mlp, wider", 60, 12, 0.64, 0.31, 0.858),
        ),
        errors=table(
            "1 - accuracy", None, score(0.0981, 0.0039, 22_140), score(0.1241, 0.0100, 3908),
            score(0.1269, 0.0081, 6513),
            "no human-level error was given (--human-error), so bias is counted from zero: part of it may be "
            "unavoidable",
        ),
        baseline=score(0.7592, 0.0134, 3908),
        dev=score(0.8759, 0.0100, 3908),
        test=score(0.8731, 0.0081, 6513),
        test_openings=1,
        winner={
            "family": "boosting",
            "recipe": {
                "prepare": {"kind": "table-preparation", "numbers": "none", "categories": "ordinal", "missing": False},
                "estimator": {"kind": "boosting", "trees": 400, "max_leaf_nodes": 31, "learning_rate": 0.05},
            },
            "members": 5,
        },
        confusion=((2781, 186), (299, 642)),
        mistakes=tuple(
            Mistake(
                f"row {row}", ">50K", "<=50K", error,
                (("age", age), ("education", "HS-grad"), ("occupation", "Craft-repair"), ("hours-per-week", "40"),
                 ("marital-status", "Never-married"), ("capital-gain", "0"), ("capital-loss", "0"), ("sex", "Male"),
                 ("native-country", "United-States"), ("workclass", "Private")),
            )
            for row, error, age in (
                (10_412, 0.994, "22"), (733, 0.991, "24"), (28_190, 0.989, "19"), (5_021, 0.986, "31")
            )
        ),
        next_steps=(
            "bias dominates: the model is too weak for the data, or the data hold no more. Give a human error "
            "(--human-error) to learn which part of it can be avoided.",
            "dropout is undecided after 3 pairs (+0.0012, −0.0009 to 0.0033): a longer budget would settle it.",
            "look at the worst mistakes: 4 of the first 12 carry a label that looks wrong.",
        ),
        trials=74,
        dev_looks=74,
        wear=Wear(74, 31, score(0.8759, 0.0100, 3908), 0.00213, score(0.8738, 0.0121, 3908), "BBC-CV"),
        seconds=561.4,
        finished=True,
        environment=ENVIRONMENT,
    )  # fmt: skip


GARMENTS = ("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot")


def picture(seed: int) -> str:
    """A small grey picture as a data URI."""
    stream = np.random.default_rng(seed)
    y, x = np.mgrid[:28, :28]
    wide, high = stream.integers(5, 11, 2)
    shape = ((abs(x - 14) < wide) & (abs(y - 14) < high)) * (120 + 80 * np.sin(x / 2 + seed))
    grey = np.clip(shape + stream.normal(0, 12, (28, 28)), 0, 255).astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(grey).save(file, "png")
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()


def confusion(classes: int, each: int, seed: int = 3) -> tuple[tuple[int, ...], ...]:
    stream = np.random.default_rng(seed)
    table = stream.poisson(each * 0.006, (classes, classes)) + np.diag(stream.integers(int(each * 0.8), each, classes))
    if classes > 6:
        table[6, 0], table[0, 6], table[4, 2], table[6, 2] = each // 8, each // 10, each // 11, each // 12
    return tuple(tuple(int(n) for n in row) for row in table)


def garments() -> RunRecord:
    """A finished run on an image folder with ten classes and a known human level."""
    problem = Problem("multiclass", "image", "label", 12_000, GARMENTS, "accuracy", (), 0.165)
    return RunRecord(
        problem=problem,
        output="runs/fashion",
        command="steelyard run fashion-mnist/ --budget 10m --human-error 0.165",
        seed=1,
        notes=("the folders are the classes", "images are 28×28, grey", "12,000 images of 10 classes"),
        said=(
            Said("define", "12,000 grey images of 28×28, ten classes named by their folders", 1.2),
            Said("measure", "accuracy: classes are of equal size", 1.2),
            Said("protocol", "hold-out: 8,160 train, 1,440 dev, 2,400 test are sealed", 1.4),
            Said("baseline", "residual-cnn is best of six families: 0.8847 (0.8682 to 0.9012)", 96.0),
            Said("overfit", "residual-cnn, wider: dev loss lowest at epoch 9 of 24", 210.0),
            Said("finish", "an ensemble of three; the test was opened once", 590.0),
        ),
        protocol={"kind": "holdout", "folds": 1, "seed": 1, "rows": 9_600, "ready_dev": None},
        families=(
            Arm("residual-cnn", "residual-cnn", score(0.8847, 0.0165, 1440), 41.0, 8160),
            Arm("boosting", "boosting", score(0.8569, 0.0181, 1440), 33.0, 8160),
            Arm("forest", "forest", score(0.8514, 0.0184, 1440), 12.0, 8160),
            Arm("linear", "linear", score(0.8271, 0.0195, 1440), 8.2, 8160),
            Arm("neighbors", "neighbors", score(0.8201, 0.0198, 1440), 2.3, 4000, "on 4000 rows"),
            Arm("dummy", "dummy", score(0.1000, 0.0155, 1440), 0.1, 8160),
        ),
        ladder=(
            Arm("dumb baseline", "dummy", score(0.1000, 0.0155, 1440), 0.1, 8160),
            Arm("best family", "residual-cnn", score(0.8847, 0.0165, 1440), 41.0, 8160),
            Arm("residual-cnn, scaled", "residual-cnn", score(0.8931, 0.0160, 1440), 88.0, 8160, "wider"),
            Arm("with what helped", "residual-cnn", score(0.9090, 0.0148, 1440), 90.0, 8160, "shifted-crops, ema"),
            Arm("ensemble of three", "residual-cnn", score(0.9160, 0.0143, 1440), 268.0, 8160),
        ),
        weighed=(
            weighed("shifted-crops", 0.0121, 0.0058, "helps", True, 0.893),
            weighed("ema", 0.0064, 0.0049, "helps", True, 0.893),
            weighed("label-smoothing", 0.0031, 0.0052, "undecided", False, 0.893),
            weighed("mixup", 0.0044, 0.0071, "undecided", False, 0.893),
            weighed("sgdr", -0.0102, 0.0074, "hurts", False, 0.893),
            not_applicable("input-noise", "it adds noise to columns of a table, and these are images"),
        ),
        curves=(
            curve("residual-cnn", 24, 14, 1.9, 0.32, 0.885),
            curve("residual-cnn, wider", 24, 9, 1.8, 0.30, 0.893),
        ),
        errors=table(
            "1 - accuracy", 0.165, score(0.021, 0.003, 8160), score(0.084, 0.0143, 1440), score(0.0871, 0.0113, 2400),
            "once a model passes the human level, avoidable bias can no longer be judged",
        ),
        baseline=score(0.1000, 0.0155, 1440),
        dev=score(0.9160, 0.0143, 1440),
        test=score(0.9129, 0.0113, 2400),
        test_openings=1,
        winner={"family": "residual-cnn", "recipe": {"network": {"kind": "residual-cnn", "width": 48}}, "members": 3},
        confusion=confusion(10, 150),
        mistakes=tuple(
            Mistake(f"test/{truth}/{i:05d}.png", truth, predicted, 0.999 - i / 200, image=picture(i))
            for i, (truth, predicted) in enumerate(
                [("Shirt", "T-shirt/top"), ("Coat", "Pullover"), ("Shirt", "Coat"), ("Ankle boot", "Sneaker"),
                 ("Dress", "Shirt"), ("Bag", "Shirt"), ("Pullover", "Coat"), ("Sandal", "Sneaker"),
                 ("T-shirt/top", "Dress"), ("Shirt", "Pullover"), ("Sneaker", "Sandal"), ("Trouser", "Dress")]
            )
        ),
        next_steps=(
            "variance dominates: more data would help most; the learning curve is not flat yet",
            "Shirt is taken for T-shirt/top in 12 % of its images: look at the mistakes and the labels of these two",
        ),
        trials=51,
        seconds=590.0,
        finished=True,
        environment=ENVIRONMENT,
    )  # fmt: skip


def houses() -> RunRecord:
    """A finished run on a regression, five folds."""
    stream = np.random.default_rng(0)
    truth = np.exp(stream.normal(12.0, 0.4, 500))
    predicted = truth * np.exp(stream.normal(-0.01, 0.11, 500))
    problem = Problem("regression", "tabular", "SalePrice", 2_930, (), "rmse")
    return RunRecord(
        problem=problem,
        output="runs/ames housing",
        command="steelyard run AmesHousing.csv --target SalePrice",
        seed=0,
        notes=("target 'SalePrice' is a number with 1,032 different values, so this is a regression",),
        said=(
            Said("define", "read 2,930 rows and 81 columns; predict 'SalePrice'", 0.6),
            Said("measure", "rmse, in the unit of the target", 0.6),
            Said("protocol", "five folds of 2,344 rows; 586 test rows are sealed", 0.7),
            Said("baseline", "boosting is best of six families", 44.0),
        ),
        protocol={"kind": "folds", "folds": 5, "seed": 0, "rows": 2344, "ready_dev": None},
        families=(
            Arm("boosting", "boosting", score(24_873, 2310, 2344), 9.1, 1875),
            Arm("forest", "forest", score(27_114, 2540, 2344), 11.0, 1875),
            Arm("linear", "linear", score(31_470, 5210, 2344), 0.9, 1875),
            Arm("tabular-mlp", "tabular-mlp", score(30_231, 3120, 2344), 31.0, 1875),
            Arm("dummy", "dummy", score(79_871, 3830, 2344), 0.1, 1875),
        ),
        ladder=(
            Arm("dumb baseline", "dummy", score(79_871, 3830, 2344), 0.1, 1875, "always the mean"),
            Arm("best family", "boosting", score(24_873, 2310, 2344), 9.1, 1875),
            Arm("boosting, scaled", "boosting", score(24_108, 2290, 2344), 17.0, 1875, "longer"),
        ),
        weighed=(
            weighed("longer", -765.0, 410.0, "helps", True, 24_873),
            weighed("wider", 102.0, 380.0, "undecided", False, 24_873),
            weighed("weight-decay", 940.0, 520.0, "hurts", False, 24_873),
            not_applicable("label-smoothing", "it smooths class labels, and this is a regression"),
        ),
        curves=(),
        errors=table(
            "rmse", None, score(9_871, 610, 1875), score(24_108, 2290, 2344), score(23_412, 3110, 586),
            "no human-level error was given (--human-error), so bias is counted from zero: "
            "part of it may be unavoidable",
        ),
        baseline=score(79_871, 3830, 2344),
        dev=score(24_108, 2290, 2344),
        test=score(23_412, 3110, 586),
        test_openings=2,
        winner={"family": "boosting", "recipe": {"estimator": {"kind": "boosting", "trees": 800}}},
        residuals=tuple((float(t), float(p)) for t, p in zip(truth, predicted, strict=True)),
        mistakes=(
            Mistake("row 1499", "160,000", "489,310", 329_310.0, (("Gr Liv Area", "5642"), ("Overall Qual", "10"))),
            Mistake("row 2181", "183,850", "420,102", 236_252.0, (("Gr Liv Area", "5095"), ("Overall Qual", "10"))),
        ),
        next_steps=("variance dominates: the two worst mistakes are houses of more than 5,000 square feet",),
        trials=120,
        seconds=611.0,
        finished=True,
        environment=ENVIRONMENT,
    )  # fmt: skip


def many(classes: int = 77) -> RunRecord:
    """Many classes with long names: a heat map would be unreadable."""
    names = tuple(f"a rather long name of intent number {i}, as banks have them" for i in range(classes))
    base = garments()
    return replace(
        base,
        problem=replace(base.problem, classes=names),
        confusion=confusion(classes, 40),
        weighed=tuple(
            weighed(f"a-technique-with-a-very-long-name-that-goes-on-and-on-{i}", (i - 14) / 2000, 0.004, "undecided")
            for i in range(30)
        ),
    )


def empty() -> RunRecord:
    """A run that has just begun."""
    return RunRecord(Problem("binary", "tabular", "y", 0, (), "accuracy"), "runs/y", "", 0)


def underway() -> RunRecord:
    """A run that was cut after the spot check."""
    done = adult()
    return replace(
        done, said=done.said[:6], ladder=(), weighed=(), curves=(), errors=None, dev=done.families[0].score, test=None,
        test_openings=0, winner={"family": "boosting"}, confusion=(), mistakes=(), next_steps=(), finished=False,
        families=(*done.families[:3], Arm("linear", "linear", None, 0.0, 0, "cut")), seconds=33.0, trials=9,
        wear=None,
    )  # fmt: skip


EVIL = "<script>alert('x')</script>"


def evil() -> RunRecord:
    """Every text that comes from data tries to break out of the page."""
    base = adult()
    return replace(
        base,
        problem=replace(base.problem, target=EVIL, classes=(EVIL, "$x^2$ & \"more\" ]]> <!--")),
        output=f"runs/{EVIL}",
        command=f"steelyard run {EVIL}.csv",
        notes=(EVIL,),
        said=(Said("define", EVIL, 0.0),),
        families=(Arm(EVIL, EVIL, score(0.8, 0.01, 10), 1.0, 10, EVIL),),
        ladder=(Arm(EVIL, EVIL, score(0.8, 0.01, 10), 1.0, 10, EVIL),),
        weighed=(replace(base.weighed[0], technique=EVIL, against=EVIL), not_applicable(EVIL, EVIL)),
        curves=(replace(base.curves[0], name=EVIL),),
        errors=replace(base.errors, unit=EVIL, caveat=EVIL),
        mistakes=(
            Mistake(EVIL, EVIL, EVIL, 0.9, ((EVIL, EVIL),)),
            Mistake("x", "a", "b", 0.9, image="https://example.org/spy.png"),
            Mistake("x", "a", "b", 0.9, image='data:image/png;base64,AAAA" onerror="alert(1)'),
        ),
        next_steps=(EVIL,),
        winner={"family": EVIL, "recipe": {EVIL: {EVIL: EVIL}}, "members": EVIL},
        environment={EVIL: EVIL},
        protocol={EVIL: EVIL},
    )  # fmt: skip


ALL = {
    "adult": adult, "garments": garments, "houses": houses, "many": many, "empty": empty, "underway": underway,
    "evil": evil,
}  # fmt: skip
