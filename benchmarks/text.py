"""Texts: sentences, questions, short messages, intents of bank customers; on their own test parts where they have one.

Published for two of them: convolutional networks from random vectors 0.835 (SST-2, on phrases too) and 0.882 (TREC),
Kim 2014 (arXiv 1408.5882) as run again by https://github.com/harvardnlp/sent-conv-torch.
"""

import sys
from argparse import Namespace
from pathlib import Path

import numpy as np
from common import Figure, found, main, steelyard

LIMIT, QUICK_LIMIT = 300.0, 25.0


def sst2(options: Namespace, folder: Path) -> Figure:
    """Whether a sentence of a film review is kind, 6,920 to learn from."""
    train, test = (found(options.data, "sent-conv", "data", f"stsa.binary.{part}") for part in ("train", "test"))
    return _reached("sst2", train, ["--test", str(test)], 0.80, options, folder)


def trec(options: Namespace, folder: Path) -> Figure:
    """What kind of answer a question asks for, six kinds, 5,452 to learn from."""
    train, test = (found(options.data, "sent-conv", "data", f"TREC.{part}.all") for part in ("train", "test"))
    return _reached("trec", train, ["--test", str(test), "--metric", "accuracy"], 0.88, options, folder)


def sms(options: Namespace, folder: Path) -> Figure:
    """Spam among short messages, 13 % of 5,574; a fifth is the test."""
    source = found(options.data, "sms-spam", "SMSSpamCollection")
    return _reached("sms", source, ["--metric", "average_precision"], 0.97, options, folder)


def banking77(options: Namespace, folder: Path) -> Figure:
    """What a bank's customer wants, 77 intents, 10,003 to learn from."""
    train, test = (found(options.data, "banking77", "banking_data", f"{part}.csv") for part in ("train", "test"))
    asked = ["--target", "category", "--test", str(test), "--metric", "accuracy"]
    return _reached("banking77", train, asked, 0.84, options, folder)


def made(options: Namespace, folder: Path) -> Figure:
    """Made here: words of two topics among words of neither, for machines without the data sets."""
    random = np.random.default_rng(0)
    topics, neither = (("anchor", "sail", "wave"), ("field", "plough", "barn")), [f"word{k}" for k in range(60)]
    lines = []
    for number in range(400):
        words = [*random.choice(neither, 8), *random.choice(topics[number % 2], 1 + number % 3 // 2)]
        lines.append(f"{('sea', 'land')[number % 2]}\t{' '.join(random.permutation(words))}")
    source = folder / "made.txt"
    source.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return _reached("made", source, [], 0.9, options, folder)


BENCHMARKS = {each.__name__: each for each in (sst2, trec, sms, banking77, made)}


def _reached(name: str, source: Path, arguments: list[str], goal: float, options: Namespace, folder: Path) -> Figure:
    limit = float(options.time_limit or (QUICK_LIMIT if options.quick else LIMIT))
    ran = steelyard(source, limit, folder / "run", *arguments)
    test, winner = ran.answer["test"], str(ran.answer["winner"]["family"])
    interval = (test["interval"][0], test["interval"][1])
    goals = {f"at least {goal}": ran.score >= goal}
    return Figure(name, str(ran.answer["metric"]), ran.score, interval, goal, "goal", winner, (ran,), goals)


if __name__ == "__main__":
    usual = [name for name in BENCHMARKS if name != "made"]
    sys.exit(main(__doc__, BENCHMARKS, usual, lambda _: ["made"]))
