"""Series: sets of the UCR/UEA archive against published scores, and forecasts against the last value and the season."""

import json
import sys
from argparse import Namespace
from pathlib import Path

import numpy as np
import pandas as pd
from common import Figure, Ran, finished, found, main, steelyard

LIMIT, QUICK_LIMIT = 300.0, 25.0
PUBLISHED = {  # test accuracies of FCN and ResNet, https://github.com/hfawaz/dl-4-tsc (means over runs)
    "ecg200": (0.889, 0.874),
    "gunpoint": (1.000, 0.991),
    "italypower": (0.961, 0.963),
    "osuleaf": (0.977, 0.979),
    "basicmotions": (1.000, 1.000),  # not in that list: nothing but every case right is asked for
    "vowels": (0.993, 0.992),
}


def _classes(name: str, options: Namespace, folder: Path, train: Path, test: Path) -> Figure:
    """A set with its own test part: the interval of our score must reach the mean of the published ones."""
    ran = steelyard(train, _limit(options), folder / "run", "--test", str(test))
    reference = float(np.mean(PUBLISHED[name]))
    reached = ran.answer["test"]["interval"][1] >= reference
    return _figure(name, ran, reference, "mean of FCN and ResNet", {"interval reaches the published mean": reached})


def _archive(name: str, options: Namespace, folder: Path, of: str) -> Figure:
    train = found(options.data, "ucr", of, f"{of}_TRAIN.ts")
    return _classes(name, options, folder, train, found(options.data, "ucr", of, f"{of}_TEST.ts"))


def ecg200(options: Namespace, folder: Path) -> Figure:
    """Electrocardiograms of one lead, 100 to learn from, as text with the label first."""
    at = ("ucr-ecg200", "data", "ECG200")
    train, test = (found(options.data, *at, f"ECG200_{part}") for part in ("TRAIN", "TEST"))
    return _classes("ecg200", options, folder, train, test)


def gunpoint(options: Namespace, folder: Path) -> Figure:
    """A hand that draws a gun or points, 50 to learn from."""
    return _archive("gunpoint", options, folder, "GunPoint")


def italypower(options: Namespace, folder: Path) -> Figure:
    """A day's demand of electric power, 67 to learn from."""
    return _archive("italypower", options, folder, "ItalyPowerDemand")


def osuleaf(options: Namespace, folder: Path) -> Figure:
    """Outlines of six kinds of leaves, 200 to learn from."""
    return _archive("osuleaf", options, folder, "OSULeaf")


def basicmotions(options: Namespace, folder: Path) -> Figure:
    """Six channels of a smart watch, 40 to learn from."""
    return _archive("basicmotions", options, folder, "BasicMotions")


def vowels(options: Namespace, folder: Path) -> Figure:
    """Nine speakers, twelve channels of 7 to 29 steps, 270 to learn from."""
    return _archive("vowels", options, folder, "JapaneseVowels")


def sp500(options: Namespace, folder: Path) -> Figure:
    """The next day's close of the S&P 500: nothing may be called better than the last value."""
    ran = _forecast(found(options.data, "vega", "data", "sp500-2000.csv"), "close", "date", 1, options, folder)
    winner = str(ran.answer["winner"]["family"])
    return _figure(
        "sp500", ran, _floor(ran), "the last value", {"the last value is not beaten": winner == "last-value"}
    )


def seattle(options: Namespace, folder: Path) -> Figure:
    """The highest temperature three days ahead: better than both dumb forecasts, its interval on dev below them."""
    source = found(options.data, "vega", "data", "seattle-weather.csv")
    return _beaten("seattle", _forecast(source, "temp_max", "date", 3, options, folder))


def melbourne(options: Namespace, folder: Path) -> Figure:
    """The lowest temperature of the next day, ten years of days."""
    source = found(options.data, "weather", "daily-min-temperatures.csv")
    return _beaten("melbourne", _forecast(source, "Temp", "Date", 1, options, folder))


def made(options: Namespace, folder: Path) -> Figure:
    """Made here: a week's season, a walk and a leading column, two steps ahead."""
    random = np.random.default_rng(0)
    lead, days = random.normal(size=500), np.arange(500)
    sales = 10 * np.sin(2 * np.pi * days / 7) + 0.3 * np.cumsum(random.normal(size=500)) + random.normal(size=500)
    sales[2:] += 3 * lead[:-2]
    when = pd.date_range("2023-01-01", periods=500, freq="D").strftime("%Y-%m-%d")
    source = folder / "made.csv"
    pd.DataFrame({"day": when, "sales": sales, "lead": lead}).to_csv(source, index=False)
    return _beaten("made", _forecast(source, "sales", "day", 2, options, folder))


def made_waves(options: Namespace, folder: Path) -> Figure:
    """Made here: waves of two shapes of any phase and of unequal lengths, as a .ts file."""
    random = np.random.default_rng(0)
    lines = []
    for case in range(120):
        time = np.arange(random.integers(40, 60)) / 8 + random.uniform(0, 6)
        wave = np.sin(time) if case % 2 else np.sign(np.sin(time))
        values = ",".join(f"{v:.3f}" for v in wave + 0.4 * random.normal(size=len(time)))
        lines.append(f"{values}:{'round' if case % 2 else 'square'}")
    source = folder / "waves.ts"
    source.write_text("@problemName waves\n@classLabel true round square\n@data\n" + "\n".join(lines) + "\n")
    ran = steelyard(source, _limit(options), folder / "run")
    return _figure("made_waves", ran, None, "", {"accuracy >= 0.9": ran.score >= 0.9})


CLASSES = (ecg200, gunpoint, italypower, osuleaf, basicmotions, vowels)
BENCHMARKS = {each.__name__: each for each in (*CLASSES, sp500, seattle, melbourne, made, made_waves)}


def _forecast(source: Path, target: str, time: str, horizon: int, options: Namespace, folder: Path) -> Ran:
    limit = _limit(options)
    asked = ["run", str(source), "--target", target, "--time", time, "--horizon", str(horizon)]
    command = [*asked, "--time-limit", f"{limit:g}", "--output", str(folder / "run"), "--json"]
    return finished(["-m", "steelyard", *command], limit, folder / "run", _answered)


def _answered(text: str) -> dict[str, object]:
    """The answer of a run; where the test stays sealed, since nothing beats the dumb forecast, the score is dev's."""
    answer = dict(json.loads(text))
    return answer | {"test": answer.get("test") or answer["dev"]}


def _floor(ran: Ran) -> float:
    return float(ran.answer["baseline"]["score"])


def _beaten(name: str, ran: Ran) -> Figure:
    low = ran.answer["dev"]["interval"][1] < _floor(ran)
    return _figure(name, ran, _floor(ran), "the best dumb forecast", {"below the dumb forecast on dev": low})


def _figure(name: str, ran: Ran, reference: float | None, by: str, goals: dict[str, bool]) -> Figure:
    test, winner = ran.answer["test"], str(ran.answer["winner"]["family"])
    interval = (test["interval"][0], test["interval"][1])
    return Figure(name, str(ran.answer["metric"]), ran.score, interval, reference, by, winner, (ran,), goals)


def _limit(options: Namespace) -> float:
    return float(options.time_limit or (QUICK_LIMIT if options.quick else LIMIT))


if __name__ == "__main__":
    usual = [name for name in BENCHMARKS if not name.startswith("made")]
    sys.exit(main(__doc__, BENCHMARKS, usual, lambda _: ["made", "made_waves"]))
