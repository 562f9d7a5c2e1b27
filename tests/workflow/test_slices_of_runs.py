"""`steelyard slices`: by the columns of a table and by what images, texts and series look like."""

import json
import shutil
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from steelyard.cli import main
from steelyard.data.dataset import Dataset, Schema
from steelyard.data.source import read
from steelyard.diagnosis.measures import measures, of_images, of_texts
from steelyard.diagnosis.slice_records import Slices
from steelyard.problem import Problem
from steelyard.records import from_plain
from steelyard.report.slices import parts, remedies, said, slices_page
from steelyard.trials.predictions import Predictions
from steelyard.workflow.slices import conditions_of, slices_of

Heard = pytest.CaptureFixture[str]
DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
EVIL = "<script>alert('x')</script>"


@pytest.fixture(scope="module")
def run(people_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Path(shutil.copytree(people_run, tmp_path_factory.mktemp("slices") / "run"))


def erring(pool: Dataset, wrong: np.ndarray, folder: Path) -> SimpleNamespace:
    """What is read of a finished run whose model errs on those rows (n,) bool of two classes."""
    assert pool.target is not None
    said = np.eye(2)[np.where(wrong, 1 - pool.target, pool.target)] * 0.8 + 0.1
    file = folder / "final.safetensors"
    Predictions(np.arange(len(pool)), said, np.arange(1), said[:1]).save(file)
    problem = Problem("binary", pool.schema.modality, "y", len(pool), pool.classes, "accuracy")
    executor = SimpleNamespace(final_predictions=file)
    return SimpleNamespace(pool=pool, problem=problem, truth=pool.target, folder=folder, executor=executor)


def mistaken(planted: np.ndarray, seed: int = 7) -> np.ndarray:
    return np.random.default_rng(seed).uniform(size=len(planted)) < np.where(planted, 0.5, 0.06)


def frame(rows: int = 900) -> pd.DataFrame:
    random = np.random.default_rng(1)
    found = pd.DataFrame({"age": random.normal(40, 9, rows), "colour": random.choice(["red", "blue", EVIL], rows)})
    return found.assign(y=np.where(random.uniform(size=rows) < 0.5, "yes", "no"))


def test_the_command_writes_a_page_and_a_record(run: Path, capsys: Heard) -> None:
    assert main(["slices", str(run), "--quiet"]) == 0
    assert "slices.html" in capsys.readouterr().out
    assert main(["slices", str(run), "--quiet", "--json", "--column", "colour", "--no-pairs"]) == 0
    plain = json.loads(capsys.readouterr().out)
    assert plain == json.loads((run / "diagnosis" / "slices.json").read_text())
    found = from_plain(plain, Slices)
    assert {each.name for each in found.slices} <= {"colour = red", "colour = green", "colour = blue"}
    assert found.pairs == 0 and found.singles == 3 and found.rows == 160
    assert "<svg" in (run / "diagnosis" / "slices.html").read_text(encoding="utf-8")


def test_an_unknown_column_is_said_with_the_one_that_is_meant(run: Path, capsys: Heard) -> None:
    assert main(["slices", str(run), "--quiet", "--column", "color"]) == 2
    assert "did you mean 'colour'?" in capsys.readouterr().err


def test_a_bad_category_of_a_table_is_found_and_its_name_escaped(tmp_path: Path) -> None:
    source = frame()
    pool = read(source, "y")
    found = slices_of(erring(pool, mistaken((source["colour"] == EVIL).to_numpy()), tmp_path))  # type: ignore[arg-type]
    assert found.worse[0].name == f"colour = {EVIL}"
    assert found == slices_of(erring(pool, mistaken((source["colour"] == EVIL).to_numpy()), tmp_path))  # type: ignore[arg-type]
    page = slices_page(found)
    assert EVIL not in page and "colour = &lt;script&gt;" in page
    assert "label more table rows of it" in " ".join(said(found)) and len(parts(found)) >= 3


def test_dark_images_on_which_a_model_errs_are_found(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    light = random.uniform(0.2, 1.0, 800)
    images = (random.uniform(0, 255, (800, 8, 8)) * light[:, None, None]).astype(np.uint8)
    pool = read((images, np.arange(800) % 2), None)
    found = slices_of(erring(pool, mistaken(light < 0.3), tmp_path))  # type: ignore[arg-type]
    assert any(c.startswith("brightness ≤") or "< brightness ≤" in c for c in found.worse[0].conditions)
    assert slices_of(erring(pool, mistaken(light < 0), tmp_path)).worse == ()  # type: ignore[arg-type]


def test_long_texts_on_which_a_model_errs_are_found(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    words = np.array(["boat", "sea", "wind", "sail", "rope", "mast", "deck", "keel"])
    count = random.integers(4, 60, 700)
    texts = [" ".join(random.choice(words, n)) + f" word{i}" for i, n in enumerate(count)]
    source = pd.DataFrame({"text": texts, "y": np.array(["a", "b"])[np.arange(700) % 2]})
    found = slices_of(erring(read(source, "y"), mistaken(count > 45), tmp_path))  # type: ignore[arg-type]
    assert any("text" in condition or "cluster" in condition for condition in found.worse[0].conditions)
    assert found.worse[0].difference.value > 0.2


def test_measures_are_what_they_say() -> None:
    flat, stripes = np.full((1, 8, 8, 3), 51, np.uint8), np.zeros((1, 8, 8, 3), np.uint8)
    stripes[:, :, ::2, 0] = 255
    found = of_images(np.concatenate([flat, stripes]))
    np.testing.assert_allclose(found["brightness"], [0.2, 1 / 6], atol=1e-6)
    assert found["contrast"][0] < 1e-6 < found["contrast"][1] and found["sharpness"][1] > found["sharpness"][0]
    assert found["colourfulness"][0] < 1e-6 < found["colourfulness"][1]
    texts = of_texts(pd.Series(["a b", "a b odd", "A b", None], dtype=object), "t")
    assert texts["words of t"].tolist() == [2, 3, 2, 0]
    np.testing.assert_allclose(texts["share of rare words of t"], [0, 1 / 3, 0, np.nan])


def test_series_are_told_by_their_course() -> None:
    random = np.random.default_rng(0)
    level = random.normal(0, 5, 200)
    series = (random.normal(size=(200, 1, 30)) + level[:, None, None]).astype(np.float32)
    series[::2, :, 20:] = np.nan
    pool = Dataset("s", Schema("series", "y", length=30), np.arange(200) % 2, ("a", "b"), series=series)
    found = measures(pool)
    assert set(np.unique(found["length"])) == {20.0, 30.0} and np.corrcoef(found["level"], level)[0, 1] > 0.99
    assert {"length", "level", "spread", "slope", "roughness", "cluster"} <= {c.feature for c in conditions_of(pool)}


def test_clusters_are_named_by_what_they_have_in_common() -> None:
    random = np.random.default_rng(0)
    source = frame().assign(colour=random.choice(["red", "blue"], 900))
    found = [each for each in conditions_of(read(source, "y")) if each.kind == "cluster"]
    assert len(found) == 8 and sum(each.inside for each in found).tolist() == [1] * 900
    assert any("colour = red" in each.label for each in found)


def test_rows_that_do_not_count_are_no_part_of_a_slice(tmp_path: Path) -> None:
    source = frame()
    pool = read(source, "y")
    weights = (source["colour"] != EVIL).to_numpy().astype(float)
    object.__setattr__(pool, "weights", weights)
    found = slices_of(erring(pool, mistaken((source["colour"] == EVIL).to_numpy()), tmp_path))  # type: ignore[arg-type]
    assert found.rows == int(weights.sum()) and not found.worse


def test_a_class_that_is_missed_is_treated_by_more_of_it(tmp_path: Path) -> None:
    pool = read(frame(), "y")
    assert pool.target is not None
    found = slices_of(erring(pool, mistaken(pool.target == 1), tmp_path))  # type: ignore[arg-type]
    assert "true class = yes" in {each.name for each in found.worse}
    assert any("label more of class yes" in line for line in remedies(found))


@pytest.mark.data
@pytest.mark.skipif(not DATA.is_dir(), reason="the real data sets are not beside this checkout")
def test_who_earns_much_is_missed_most_among_the_married_and_no_slice_is_bad_when_mistakes_are_dealt_anew(
    tmp_path: Path,
) -> None:
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import cross_val_predict
    from sklearn.preprocessing import StandardScaler

    pool = read(DATA / "adult" / "adult-train.csv", "column_15").take(np.arange(6000))
    assert pool.frame is not None and pool.target is not None
    inputs = StandardScaler().fit_transform(pd.get_dummies(pool.frame).fillna(0.0))
    said = cross_val_predict(LogisticRegression(max_iter=200), inputs, pool.target, cv=3)
    wrong = said != pool.target
    found = slices_of(erring(pool, wrong, tmp_path))  # type: ignore[arg-type]
    assert "Married-civ-spouse" in next(each.name for each in found.worse if each.kind == "column")
    dealt = np.random.default_rng(0).permutation(wrong)
    left = slices_of(erring(pool, dealt, tmp_path)).worse  # type: ignore[arg-type]
    assert {each.kind for each in left} <= {"class"}  # the rarer class is wrong the more often when mistakes are dealt
