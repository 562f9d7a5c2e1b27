"""Texts to token ids and to weighted counts: learnt from train only, kept as JSON, the same after loading."""

import json
from pathlib import Path

import numpy as np
import pytest
from scipy import sparse
from sklearn.feature_extraction.text import TfidfVectorizer
from texts import of_texts, text_problem

from steelyard.data.ngrams import WORD
from steelyard.data.prepare_text import FittedText, TextPreparation
from steelyard.errors import UserError


def restored(fitted: FittedText) -> FittedText:
    return TextPreparation.restored(json.loads(json.dumps(fitted.to_dict())))


def test_words_become_numbers_padded_at_the_end_and_rare_ones_are_unknown():
    train = of_texts(["red red green", "red green", "blue"])
    fitted = TextPreparation(min_count=2).fit(train)
    (ids,) = fitted.transform(train)
    assert ids.dtype == np.int64 and fitted.shape.tokens == 6
    assert ids.tolist() == [[4, 4, 5], [4, 5, 0], [1, 0, 0]]


def test_small_letters_are_the_same_words_unless_they_are_told_apart():
    train = of_texts(["Red red", "RED"])
    assert len(set(TextPreparation(min_count=1).fit(train).transform(train)[0].ravel()) - {0}) == 1
    assert len(set(TextPreparation(min_count=1, lower=False).fit(train).transform(train)[0].ravel()) - {0}) == 3


def test_several_columns_are_joined_with_a_separator():
    train = of_texts(["red", "red red"], ["green", None])
    (ids,) = TextPreparation(min_count=1).fit(train).transform(train)
    assert ids.tolist() == [[4, 3, 5, 0], [4, 4, 3, 0]]


def test_texts_are_cut_where_nearly_all_of_train_end_or_at_the_limit():
    train = of_texts(["word " * 5] * 400 + ["word " * 50])
    assert TextPreparation().fit(train).shape.length == 5
    assert TextPreparation(length=3).fit(train).shape.length == 3


@pytest.mark.parametrize("tokens", ["words", "pieces"])
def test_a_text_that_spells_a_special_token_out_does_not_become_one(tokens: str):
    train = of_texts(["plain [padding] text [mask]", "plain text", "[separator] [padding]"])
    (ids,) = TextPreparation(min_count=1, tokens=tokens).fit(train).transform(train)
    for row in ids:
        used = int((row > 0).sum())
        assert (row[:used] > 0).all() and not (row == 2).any() and not (row == 3).any()


def test_pieces_of_words_know_words_that_train_did_not_have():
    train = of_texts(["walking talking", "walked talked", "walker talker"] * 5)
    seen = TextPreparation(tokens="pieces").fit(train)
    assert (seen.transform(of_texts(["walk talk"]))[0] > 3).any()
    assert not (TextPreparation().fit(train).transform(of_texts(["walk talk"]))[0] > 3).any()


@pytest.mark.parametrize("text", [None, "", "   ", "\u200b", "🙂", "x" * 5000])
def test_odd_texts_are_read(text: str | None):
    for features in ("tokens", "tfidf", "latent"):
        fitted = TextPreparation(features=features).fit(of_texts(["red green", "red blue", "green blue"] * 4))
        rows = of_texts([text, "red"])
        found = fitted.transform(rows)[0] if features == "tokens" else fitted.matrix(rows)
        values = found.toarray() if sparse.issparse(found) else found
        assert len(values) == 2 and np.isfinite(values).all()


@pytest.mark.parametrize("features", ["tokens", "tfidf", "latent"])
def test_dev_rows_never_reach_what_is_learnt(features: str):
    train, dev = of_texts(["red green", "red blue", "green blue"] * 4), of_texts(["zebra red " * 40] * 50)
    fitted = TextPreparation(features=features, min_count=1).fit(train)
    learnt = json.dumps(fitted.to_dict())
    fitted.transform(dev) if features == "tokens" else fitted.matrix(dev)
    assert json.dumps(fitted.to_dict()) == learnt and "zebra" not in learnt


@pytest.mark.parametrize("options", [{}, {"tokens": "pieces"}, {"features": "tfidf"}, {"features": "latent"}])
def test_after_loading_it_gives_the_same_bits(options: dict[str, str]):
    dataset, _ = text_problem(50)
    fitted = TextPreparation(**options).fit(dataset)
    again = restored(fitted)
    assert again.to_dict() == fitted.to_dict()
    if "features" in options:
        one, other = fitted.matrix(dataset), again.matrix(dataset)
        one, other = (m.toarray() if sparse.issparse(m) else m for m in (one, other))
    else:
        assert again.shape == fitted.shape
        one, other = fitted.transform(dataset)[0], again.transform(dataset)[0]
    assert np.array_equal(one, other)


def test_counts_are_those_of_scikit_learns_words_and_runs():
    dataset, _ = text_problem(50)
    texts = dataset.frame["words"].tolist()
    ours = TextPreparation(features="tfidf", letters=0).fit(dataset)
    theirs = TfidfVectorizer(
        tokenizer=WORD.findall, token_pattern=None, ngram_range=(1, 2), sublinear_tf=True, min_df=2
    )
    expected = theirs.fit_transform(texts).toarray()
    found = ours.matrix(dataset).toarray()
    assert found.shape == expected.shape
    np.testing.assert_allclose(found @ found.T, expected @ expected.T, atol=1e-5)


def test_pieces_are_those_of_scikit_learn_within_words():
    train = of_texts(["walking talks", "walked talked walked", "talks"])
    found = TextPreparation(features="tfidf", runs=1, letters=4, min_count=1).fit(train).matrix(train).toarray()[:, 4:]
    theirs = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 4), sublinear_tf=True, norm="l2")
    expected = theirs.fit_transform(train.frame["a"]).toarray()
    np.testing.assert_allclose(found @ found.T, expected @ expected.T, atol=1e-5)


def test_no_run_goes_from_one_column_into_the_next():
    train = of_texts(["red green", "red green"], ["blue", "blue"])
    counts = TextPreparation(features="tfidf", letters=0, min_count=1).fit(train).counts
    assert counts.words == ("blue", "green", "red")
    assert [divmod(int(run), 3) for run in counts.runs[0]] == [(2, 1)]


def test_latent_numbers_are_few_and_tell_topics_apart():
    dataset, _ = text_problem(80)
    numbers = TextPreparation(features="latent", dimensions=5).fit(dataset).matrix(dataset)
    assert numbers.shape == (80, 5) and numbers.dtype == np.float32
    alike = numbers @ numbers.T
    same = dataset.target[:, None] == dataset.target
    assert alike[same].mean() > alike[~same].mean() + 0.1


# -- word vectors ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("head", ["", "3 2\n"])
def test_vectors_are_read_with_a_head_or_without(tmp_path: Path, head: str):
    file = tmp_path / "small.vec"
    file.write_text(f"{head}red 1 2\ngreen 3 4\nunheard 5 6\n", encoding="utf-8")
    train = of_texts(["red red other", "green other red"])
    shape = TextPreparation(vectors=str(file), min_count=2).fit(train).shape
    ids = {word: n for n, word in enumerate(["", "?", "m", "s", "red", "other", "unheard"])}
    assert shape.width == 2 and shape.vectors is not None and len(shape.vectors) == shape.tokens
    assert shape.vectors[ids["red"]].tolist() == [1, 2] and shape.vectors[0].tolist() == [0, 0]
    assert np.isfinite(shape.vectors).all() and shape.vectors[ids["other"]].any()


def test_words_of_the_vectors_are_known_though_train_has_them_not(tmp_path: Path):
    file = tmp_path / "small.vec"
    file.write_text("scarlet 1 2\nred 1 2\n", encoding="utf-8")
    fitted = TextPreparation(vectors=str(file), min_count=1).fit(of_texts(["red", "green"]))
    assert fitted.transform(of_texts(["scarlet"]))[0][0, 0] > 3
    again = restored(fitted)
    assert again.shape.width == 2 and again.shape.vectors is None, "the file is not needed any more"


@pytest.mark.parametrize(
    ("text", "why"),
    [("red 1 2\ngreen 3\n", "line 2"), ("red one two\n", "line 1"), ("", "no word vector"), ("red 1 nan\n", "line 1")],
)
def test_a_file_that_holds_no_vectors_is_the_users_error(tmp_path: Path, text: str, why: str):
    file = tmp_path / "bad.vec"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(UserError, match=why):
        TextPreparation(vectors=str(file)).fit(of_texts(["red", "green"]))


def test_a_missing_file_of_vectors_is_the_users_error():
    with pytest.raises(UserError, match="cannot read the word vectors in nowhere"):
        TextPreparation(vectors="nowhere.vec").fit(of_texts(["red", "green"]))
