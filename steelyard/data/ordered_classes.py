"""An ordinal target: classes from the lowest to the highest, by their numbers, a known scale of words or the user."""

from dataclasses import replace

import numpy as np
import pandas as pd

from steelyard.data.columns import categories
from steelyard.data.targets import Target, class_names, code_target, sorted_classes
from steelyard.errors import UserError, suggest

SCALES = tuple(
    tuple(scale.split("/"))
    for scale in (
        "very low/low/medium/moderate/high/very high",
        "low/med/medium/middle/high",
        "tiny/small/medium/large/huge",
        "xxs/xs/s/m/l/xl/xxl/xxxl",
        "very poor/poor/fair/average/good/very good/excellent/outstanding",
        "terrible/very bad/bad/ok/okay/good/very good/great/excellent",
        "unacc/acc/good/vgood",
        "fair/good/very good/premium/ideal",
        "never/rarely/seldom/sometimes/often/usually/always",
        "strongly disagree/disagree/neutral/agree/strongly agree",
        "very dissatisfied/dissatisfied/neutral/satisfied/very satisfied",
        "very unlikely/unlikely/neutral/likely/very likely",
        "none/minimal/mild/moderate/severe/critical",
        "none/trace/slight/moderate/strong/extreme",
        "freezing/cold/cool/mild/warm/hot",
        "beginner/elementary/intermediate/advanced/expert",
        "novice/junior/middle/senior/principal",
        "easy/medium/hard/very hard",
        "first/second/third/fourth/fifth",
        "young/middle-aged/old",
        "slow/medium/fast",
    )
)


def is_ordered(values: pd.Series) -> bool:
    """Whether a column comes as ordered categories, at least three of them."""
    dtype = values.dtype
    return isinstance(dtype, pd.CategoricalDtype) and bool(dtype.ordered) and len(dtype.categories) > 2


def code_ordered(values: pd.Series, name: str, tested: np.ndarray, order: tuple[str, ...] = ()) -> Target:
    """The target coded by rank. Raises UserError when the order of its classes is not known."""
    texts = pd.Series(pd.Categorical(categories(values)))
    coded = code_target(texts, name, None, tested)
    if len(coded.classes) < 3:
        raise UserError(f"target '{name}' has {len(coded.classes)} classes: an order needs three, use task binary")
    if order:
        _check_order(order, set(class_names(texts)) - {None}, name)
    ranked = _ranked(coded.classes, values, name, order)
    rank = np.array([ranked.index(each) for each in coded.classes])
    codes = np.where(coded.values >= 0, rank[coded.values], -1)
    said = f"target '{name}' has {len(ranked)} ordered classes ({' < '.join(ranked)}): ordinal"
    return replace(coded, task="ordinal", values=codes, classes=ranked, notes=(*coded.notes[:-1], said))


def _ranked(classes: tuple[str, ...], values: pd.Series, name: str, order: tuple[str, ...]) -> tuple[str, ...]:
    """The classes from the lowest to the highest."""
    if order:
        return tuple(each for each in order if each in classes)
    if isinstance(values.dtype, pd.CategoricalDtype) and values.dtype.ordered:
        known = [str(each) for each in class_names(pd.Series(values.dtype.categories))]
        return tuple(each for each in known if each in classes)
    if all(_is_number(each) for each in classes):
        return sorted_classes(np.array(classes, dtype=object))
    words = {each.strip().lower().replace("_", " "): each for each in classes}
    for scale in SCALES:
        if len(words) == len(classes) and set(words) <= set(scale):
            return tuple(words[word] for word in scale if word in words)
    some = ",".join(classes[:6]) + (",…" if len(classes) > 6 else "")
    raise UserError(
        f"the order of the classes of target '{name}' is not known ({some}): give it from the lowest to the highest, "
        f"as --order {','.join(classes[:3])}"
    )


def _check_order(order: tuple[str, ...], classes: set[str], name: str) -> None:
    for each in order:
        if order.count(each) > 1:
            raise UserError(f"the order of classes names '{each}' twice: name every class once")
        if each not in classes:
            raise UserError(
                f"the order of classes names '{each}', which target '{name}' has not{suggest(each, classes)}"
            )
    if absent := sorted(classes - set(order)):
        raise UserError(f"the order of classes lacks '{absent[0]}' of target '{name}': name all {len(classes)} classes")


def _is_number(text: str) -> bool:
    try:
        return bool(np.isfinite(float(text)))
    except ValueError:
        return False
