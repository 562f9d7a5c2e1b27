from dataclasses import replace

import samples

from steelyard.records import Curve
from steelyard.report import error_tables, tables
from steelyard.report.cards import cards, seal
from steelyard.report.words import error_removed, turning_point


def texts(table, column):
    return [row[column].text for row in table.rows]


def test_the_families_are_ranked_best_first_whatever_the_sign_of_the_metric():
    assert texts(tables.family_table(samples.adult()), 0)[0] == "boosting"
    assert texts(tables.family_table(samples.houses()), 0) == ["boosting", "forest", "tabular-mlp", "linear", "dummy"]


def test_a_family_without_a_score_comes_last():
    assert texts(tables.family_table(samples.underway()), 0)[-1] == "linear"


def test_all_numbers_of_a_column_have_the_same_decimals():
    for record in (samples.adult(), samples.garments(), samples.houses()):
        for table, column in ((tables.ladder_table(record), 1), (tables.family_table(record), 1)):
            assert len({len(text.partition(".")[2]) for text in texts(table, column)}) == 1


def test_effects_are_sorted_from_best_to_worst_whatever_the_sign_of_the_metric():
    assert [row[0].text for row in tables.effect_table(samples.houses()).rows] == ["longer", "wider", "weight-decay"]
    assert tables.effect_table(samples.adult()).rows[-1][0].text == "class-weights"


def test_techniques_that_do_not_apply_have_no_effect_in_the_table():
    assert "flips" not in texts(tables.effect_table(samples.adult()), 0)


def test_a_verdict_is_said_in_words_and_by_a_sign():
    assert texts(tables.effect_table(samples.adult()), 2)[0] == "▲ helps"


def test_the_ladder_says_what_every_rung_gained():
    assert texts(tables.ladder_table(samples.adult()), 2)[:3] == ["–", "+0.1113", "+0.0013"]


def test_the_ladder_starts_at_the_baseline_even_when_the_record_keeps_it_apart():
    record = samples.adult()
    assert texts(tables.ladder_table(replace(record, ladder=record.ladder[1:])), 2)[:3] == ["–", "+0.1113", "+0.0013"]


def test_a_rung_that_is_worse_is_not_what_the_next_one_is_measured_against():
    record = samples.adult()
    worse = replace(record.ladder[0], name="other", score=samples.score(0.80, 0.01, 3908))
    table = tables.ladder_table(replace(record, ladder=(record.ladder[1], worse, record.ladder[2])))
    assert texts(table, 2)[1:3] == ["−0.0705", "+0.0013"]


def test_the_class_with_the_lowest_recall_comes_first_with_what_it_is_taken_for():
    first = error_tables.class_table(samples.adult()).rows[0]
    assert [cell.text for cell in first] == [">50K", "941", "0.682", "0.775", "<=50K"]


def test_the_pairs_that_are_confused_most_come_first():
    first = error_tables.confused_table(samples.adult()).rows[0]
    assert [cell.text for cell in first] == [">50K", "<=50K", "299", "0.318"]


def test_the_residual_table_holds_every_example_once():
    assert sum(int(text) for text in texts(error_tables.residual_table(samples.houses()), 1)) == 500


def test_every_pair_of_scores_is_listed():
    assert len(tables.pair_table(samples.adult()).rows) == 24


def test_a_curve_whose_dev_loss_rises_turns_at_its_lowest_point():
    points = ((1, 1.0, 1.0, 0.5), (2, 0.8, 0.7, 0.6), (3, 0.5, 0.8, 0.7), (4, 0.3, 0.9, 0.7))
    assert turning_point(Curve("a", points)) == 2
    assert turning_point(Curve("a", points[:2])) is None


def test_a_curve_that_only_wobbles_does_not_turn():
    points = tuple((e, 1 / e, loss, None) for e, loss in enumerate((1.0, 0.7, 0.5, 0.503), 1))
    assert turning_point(Curve("a", points)) is None


def test_the_error_that_is_removed_counts_from_the_baseline_to_the_best_possible():
    record = samples.adult()
    assert round(error_removed(record.problem, record.baseline, record.test), 3) == 0.473


def test_the_first_screen_gives_the_test_score_the_baseline_what_helped_and_what_dominates():
    assert [card.value for card in cards(samples.adult())] == ["0.873", "0.759", "2 of 8", "Bias, from zero"]


def test_a_model_whose_interval_reaches_the_baseline_is_not_called_better():
    record = replace(samples.adult(), test=samples.score(0.765, 0.01, 900))
    assert "cannot be told from the baseline" in cards(record)[1].warning


def test_before_the_test_is_opened_the_dev_score_is_given_and_called_so():
    good = cards(samples.underway())[0]
    assert good.value == "0.871"
    assert "dev" in good.lines[0]


def test_the_seal_says_how_often_the_test_was_opened():
    assert [seal(r)[0] for r in (samples.underway(), samples.adult(), samples.houses())] == ["sealed", "once", "broken"]
