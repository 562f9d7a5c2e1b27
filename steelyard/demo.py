"""The demo: the main job on scikit-learn's digits as images, in under three minutes on two cores."""

import sys
from pathlib import Path

from sklearn.datasets import load_digits

from steelyard.runs import Run
from steelyard.terminal import show_answer, watching
from steelyard.workflow.ask import Ask
from steelyard.workflow.run import carry_out

SECONDS = 120.0
FOLDER = Path("runs/demo-digits")


def main(seconds: float = SECONDS, folder: Path = FOLDER) -> Run:
    """Run the workflow on the 1,797 digits (8 × 8 pixels, 10 classes) and say where the page is."""
    digits = load_digits()
    images = (digits.images * 255 / 16).round().astype("uint8")
    ask = Ask((images, digits.target), "digit", output=folder, time_limit=seconds, command="make demo")
    with watching(ask.seconds, ask.trial_limit) as watch:
        record = carry_out(ask, watch)
    show_answer(record)
    return Run(folder, record)


if __name__ == "__main__":
    main()
    sys.exit(0)
