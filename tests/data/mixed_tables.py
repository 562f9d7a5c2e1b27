"""Tables in which a number, a category, a text and an image each say a part of the answer."""

from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

GOOD, BAD = ("splendid", "lovely", "bright"), ("awful", "dreary", "broken")
FILLER = ("the", "house", "has", "a", "garden", "and", "two", "rooms", "near", "town", "with", "old", "doors")


def houses(folder: Path, rows: int = 300, seed: int = 0, missing: float = 0.0) -> pd.DataFrame:
    """A table of houses with pictures in a folder beside it: what is dear follows from size, words and brightness."""
    random = np.random.default_rng(seed)
    (folder / "photos").mkdir(parents=True, exist_ok=True)
    size, mood, light = random.normal(size=rows), random.integers(0, 2, rows), random.integers(0, 2, rows)
    names, texts = [], []
    for row in range(rows):
        pixels = np.clip(random.normal(90 + 80 * light[row], 25, (12, 12, 3)), 0, 255).astype(np.uint8)
        names.append(f"photos/{row}.png")
        Image.fromarray(pixels).save(folder / names[-1])
        words = [*random.choice(FILLER, 8), str(random.choice(GOOD if mood[row] else BAD))]
        texts.append(" ".join(random.permutation(words)) + f" number {row}")
    score = size + 1.5 * (2 * mood - 1) + 1.5 * (2 * light - 1)
    frame = pd.DataFrame({"size": size.round(4), "words": texts, "photo": names})
    frame["region"] = random.choice(["north", "south"], rows)
    if missing:
        for column in ("words", "photo"):
            frame.loc[random.random(rows) < missing, column] = None
    frame["dear"] = np.where(score > 0, "yes", "no")
    frame.to_csv(folder / "houses.csv", index=False)
    return frame
