"""What single inputs know: leaks that are planted are named with the reason, clean data stays unsuspected."""

import numpy as np
import pandas as pd
import pytest
from sklearn import datasets as bundled

from steelyard.data.source import read
from steelyard.data.split import divide
from steelyard.diagnosis.probes.losses import constant, losses, rows_of, skill
from steelyard.diagnosis.probes.probe import Probe, probed, suspected
from steelyard.diagnosis.probes.singles import alone
from steelyard.errors import UserError


def made(rows: int = 600, seed: int = 0) -> pd.DataFrame:
    """Five numbers and a category of which a binary target follows, none of them dominating; and two of noise."""
    random = np.random.default_rng(seed)
    frame = pd.DataFrame(random.normal(size=(rows, 7)), columns=["a", "b", "c", "d", "e", "noise1", "noise2"])
    frame["kind"] = random.choice(["x", "y", "z"], rows)
    frame["score"] = frame[list("abcde")].sum(axis=1) + (frame["kind"] == "x") + random.normal(size=rows)
    return frame.assign(y=np.where(frame["score"] > 0.3, "yes", "no"))


def classes(**more: object) -> pd.DataFrame:
    frame = made()
    return frame.drop(columns="score").assign(**more)  # type: ignore[arg-type]


def values(**more: object) -> pd.DataFrame:
    return made().drop(columns="y").rename(columns={"score": "y"}).assign(**more)  # type: ignore[arg-type]


def kinds(frame: pd.DataFrame) -> list[tuple[str, tuple[str, ...]]]:
    """What is suspected by a run, which is what the probe says, too."""
    dataset = read(frame, "y")
    found = [(leak.kind, leak.columns) for leak in suspected(dataset, 0)]
    assert [(leak.kind, leak.columns) for leak in probed(dataset, 0).leaks] == found
    return found


# -- suspicions -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["iris", "wine", "breast_cancer", "diabetes", "digits"])
def test_clean_data_is_not_suspected(name: str) -> None:
    frame = getattr(bundled, f"load_{name}")(as_frame=True).frame
    assert suspected(read(frame, "target"), 0) == []


def test_twenty_clean_tables_are_not_suspected() -> None:
    for seed in range(10):
        frame = made(300, seed)
        assert suspected(read(frame.drop(columns="score"), "y"), 0) == []
        assert suspected(read(frame.drop(columns="y"), "score"), 0) == []


def test_one_column_that_is_all_there_is_to_know_is_no_suspect() -> None:
    random = np.random.default_rng(0)
    frame = pd.DataFrame(random.normal(size=(400, 5)), columns=list("abcde"))
    assert kinds(frame.assign(y=frame["a"] + 0.5 * random.normal(size=400))) == []


def test_the_target_under_another_name_is_named() -> None:
    y = made()["y"]
    assert kinds(classes(code=np.where(y == "yes", 7, 3))) == [("is the answer", ("code",))]
    score = made()["score"]
    assert kinds(values(euros=1.95583 * score + 1e-3)) == [("is the answer", ("euros",))]


def test_a_category_that_is_the_answer_is_named() -> None:
    y = made()["y"]
    random = np.random.default_rng(1)
    words = np.where(y == "yes", random.choice(["won", "paid"], len(y)), random.choice(["lost", "void"], len(y)))
    assert kinds(classes(outcome=words)) == [("is the answer", ("outcome",))]


MAKERS = {
    "part1 + part2": lambda y, r: {"part1": r, "part2": y - r},
    "gross - net": lambda y, r: {"gross": y + r, "net": r},
    "rest - whole": lambda y, r: {"whole": r, "rest": y + r},
}


@pytest.mark.parametrize("formula", MAKERS)
def test_two_columns_that_add_up_to_the_target_are_named_with_the_formula(formula: str) -> None:
    score = made()["score"].round(6)
    noise = pd.Series(np.random.default_rng(2).normal(size=len(score)) * 3).round(6)
    frame = values(y=score).assign(**MAKERS[formula](score, noise))
    (leak,) = suspected(read(frame, "y"), 0)
    assert leak.kind == "make the answer" and leak.reason.startswith(f"{formula} is 'y' in every row")


def test_a_ratio_and_a_product_that_are_the_target_are_named() -> None:
    random = np.random.default_rng(3)
    price, count = random.uniform(1, 9, 600).round(4), random.integers(1, 30, 600)
    (leak,) = suspected(read(values(y=price * count, price=price, count=count), "y"), 0)
    assert leak.columns == ("price", "count") and leak.reason.startswith("price × count is 'y'")
    (leak,) = suspected(read(values(y=price / count, price=price, count=count), "y"), 0)
    assert leak.columns == ("price", "count") and "price / count" in leak.reason


def test_two_columns_whose_difference_decides_the_class_are_named() -> None:
    random = np.random.default_rng(4)
    due = random.normal(100, 30, 600)
    paid = due + np.where(made()["y"] == "yes", 1, -1) * random.uniform(0.1, 9, 600)
    (leak,) = suspected(read(classes(due=due, paid=paid), "y"), 0)
    assert set(leak.columns) == {"due", "paid"} and "AUC 1.0000" in leak.reason


def test_a_column_without_which_the_others_know_less_than_half_is_named() -> None:
    """As the length of a call, which is known when it is over, tells whether something was sold."""
    random = np.random.default_rng(5)
    frame = pd.DataFrame(random.normal(size=(2000, 5)), columns=list("abcde"))
    after = random.normal(size=2000)
    sold = 0.6 * frame.sum(axis=1) + 1.6 * after + 0.3 * random.normal(size=2000) > 0
    frame = frame.assign(length=np.exp(after), y=np.where(sold, "yes", "no"))
    (leak,) = suspected(read(frame, "y"), 0)
    assert (leak.kind, leak.columns) == ("dominates", ("length",))
    assert "Is its value known when 'y' is to be predicted" in leak.reason and "all 5 others together" in leak.reason


def test_nothing_is_learnt_from_the_sealed_test() -> None:
    frame = values()
    dataset = read(frame, "y")
    test = divide(dataset, 0)[2]
    other = frame.copy()
    other.loc[test, ["a", "noise1"]] = 1e3
    assert probed(read(other, "y"), 0) == probed(dataset, 0)


# -- what each input knows ------------------------------------------------------------------------------------


def probe(frame: pd.DataFrame) -> Probe:
    return probed(read(frame, "y"), 0)


def test_noise_is_useless_and_what_matters_is_not() -> None:
    found = probe(values())
    assert {"noise1", "noise2"} <= set(found.useless) and not {"a", "b", "c", "d", "e"} & set(found.useless)
    important = {each.name: each for each in found.inputs}
    assert important["a"].low > 0 > important["noise1"].low
    assert found.without is not None and found.without.value > found.whole.value - 0.02
    assert important["a"].alone.low > 0 > important["noise1"].alone.low


def test_two_columns_that_stand_in_for_each_other_are_not_both_useless() -> None:
    frame = values()
    found = probe(frame.assign(again=frame["a"] * 2))
    assert len({"a", "again"} & set(found.useless)) < 2


def test_skill_of_a_constant_guess_is_zero_and_of_the_truth_one() -> None:
    rows = rows_of(read(values(), "y"), 0)
    floor = constant(rows)
    assert skill(floor, floor).value == 0
    assert skill(losses(rows, rows.truth), floor).value == 1


def test_skill_of_noise_has_an_interval_that_holds_zero_or_less() -> None:
    for seed in range(10):
        dataset = read(made(400, seed).drop(columns="score"), "y")
        rows = rows_of(dataset, 0)
        column = next(c for c in dataset.schema.columns if c.name == "noise1")
        assert skill(losses(rows, alone(rows, column)), constant(rows)).low < 0


def test_missing_cells_and_rare_levels_are_no_obstacle() -> None:
    frame = classes()
    frame.loc[::3, "a"] = np.nan
    frame["when"] = pd.Timestamp("2024-01-01") + pd.to_timedelta(np.arange(len(frame)) % 97, "D")
    frame["rare"] = np.where(frame.index % 40 == 0, frame.index.astype(str), "usual")
    frame.loc[::5, "kind"] = None
    found = probe(frame)
    assert {each.name for each in found.inputs} >= {"a", "when", "rare", "kind"} and found.leaks == ()


def test_several_targets_and_sources_without_columns_are_refused() -> None:
    images = np.random.default_rng(0).integers(0, 255, (40, 6, 6)).astype(np.uint8)
    with pytest.raises(UserError, match="no columns of numbers, categories or dates"):
        probed(read((images, np.arange(40) % 2), None), 0)
    several = read(values(z=1.5 * made()["a"]), ("y", "z"))  # type: ignore[arg-type, unused-ignore]
    with pytest.raises(UserError, match="one target: name one of y, z"):
        probed(several, 0)
    assert suspected(several, 0) == []
