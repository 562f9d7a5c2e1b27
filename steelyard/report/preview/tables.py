"""Rows of a table before and after augmentation, as text: a column a draw, and a mark at every cell that changed."""

from dataclasses import replace

import numpy as np

from steelyard.data.prepare import FittedTable
from steelyard.techniques.preview import After, Preview

MOST = 20  # inputs shown of a row, those that change first
ROOM = 18  # characters of a cell
MARK = "*"


def view(preview: Preview) -> str:
    """Text: a small table for every row, numbers on the scale that the network learns from."""
    names, before = _cells(preview, preview.inputs)
    seen = [each for each in preview.after if not each.note or _differs(preview, each)]
    after = [_cells(preview, each.inputs)[1] for each in seen]
    heads = ["as it is", *(each.name for each in seen)]
    found = [f"numbers as the network sees them; {MARK} marks what has changed"]
    found += dict.fromkeys(each.note for each in preview.after if each.note)
    for row, label in enumerate(preview.labels):
        columns = [before[row], *(cells[row] for cells in after)]
        changed = [[cell != own for cell, own in zip(column, columns[0], strict=True)] for column in columns]
        order = np.argsort([not any(marks) for marks in zip(*changed, strict=True)], kind="stable")
        kept = sorted(order[:MOST])
        lines = [["", *heads]]
        lines += [[names[i], *(c[i] + MARK * m[i] for c, m in zip(columns, changed, strict=True))] for i in kept]
        targets = [label, *(each.labels[row] for each in seen)]
        lines.append([preview.problem.target, *(text + MARK * (text != label) for text in targets)])
        found += ["", *_aligned(lines)]
        if len(names) > MOST:
            found.append(f"and {len(names) - MOST} more inputs")
    return "\n".join(found) + "\n"


def _differs(preview: Preview, after: After) -> bool:
    return not all(map(np.array_equal, preview.inputs, after.inputs))


def _cells(preview: Preview, inputs: tuple[np.ndarray, ...]) -> tuple[list[str], list[list[str]]]:
    """The names of the inputs, and the text of each cell of each row."""
    prepared = preview.prepared
    assert isinstance(prepared, FittedTable)
    numbers, codes = inputs
    names = list(replace(prepared, preparation=replace(prepared.preparation, categories="ordinal")).features)
    levels = [("other or none", *known) for _, known in prepared.levels]
    rows = []
    for number, code in zip(numbers, codes, strict=True):
        words = [known[int(c)] if 0 <= c < len(known) else str(c) for known, c in zip(levels, code, strict=True)]
        rows.append([f"{value:.3f}" for value in number] + words)
    return names, rows


def _aligned(lines: list[list[str]]) -> list[str]:
    """Lines whose columns stand under each other, the first one to the left."""
    cut = [[cell if len(cell) <= ROOM else f"{cell[: ROOM - 1]}…" for cell in line] for line in lines]
    widths = [max(len(line[i]) for line in cut) for i in range(len(cut[0]))]
    return [
        "  ".join(
            cell.ljust(w) if i == 0 else cell.rjust(w) for i, (cell, w) in enumerate(zip(line, widths, strict=True))
        )
        for line in cut
    ]
