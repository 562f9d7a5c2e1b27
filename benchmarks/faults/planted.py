"""Does the doctor name faults planted into real small training programs, and is it silent on their sound twins?

Programs of many styles, each with faults and a sound twin, on data that scikit-learn brings: those of `programs/` were
there while the checks were written, those of `fresh/` come from somebody who had not seen the checks. A fault is found
where an error or a warning bears one of the codes that name it rightly. The share of false alarms is the errors and
warnings on sound twins over all checks that ran on them (passed, or with an error or a warning).
"""

import argparse
import importlib
import inspect
import json
import random
import statistics
import sys
import time
import warnings
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import torch
from programs.catalogue import PROGRAMS as KNOWN
from programs.program import Given, Program

from steelyard.doctor import examine

sys.path.insert(0, str(Path(__file__).parent / "fresh"))
fresh_programs = importlib.import_module("trained").programs


def _as_known(fresh: Any) -> Program:
    """A program of `fresh/` in the shape of the others."""
    faults = {fresh.bug: fresh.codes}
    return Program(fresh.name, f"fresh {fresh.style}", lambda fault: fresh.build(fault is not None), faults)


PROGRAMS = (*KNOWN, *map(_as_known, fresh_programs()))
QUICK_SECONDS = 45.0  # a quick run begins no examination after it
SOUND = "(sound)"


@dataclass(frozen=True)
class Case:
    """A program, by its place in the catalogue, with a fault or None."""

    program: int
    fault: str | None

    @property
    def of(self) -> Program:
        return PROGRAMS[self.program]

    @property
    def expected(self) -> tuple[str, ...]:
        return () if self.fault is None else tuple(self.of.faults[self.fault])

    @property
    def place(self) -> str:
        return f"{self.of.style}/{self.of.name}/{self.fault or SOUND}"


@dataclass(frozen=True)
class Seen:
    """What the doctor said of a case: the codes of errors and warnings, and how many checks ran."""

    case: Case
    codes: tuple[str, ...]
    ran: int
    seconds: float
    said: tuple[str, ...]
    raised: str = ""

    @property
    def hit(self) -> bool:
        return any(code in self.case.expected for code in self.codes)


def built(program: Program, fault: str | None) -> Given:
    """The program's parts, the same each time."""
    torch.manual_seed(0)
    return program.build(fault)


def seen(case: Case) -> Seen:
    """One examination; what examine does not take is left out."""
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    given = built(case.of, case.fault)
    taken = {name: value for name, value in given.items() if name in inspect.signature(examine).parameters}
    began = time.perf_counter()
    try:
        found = examine(**taken)
    except Exception as error:
        said = f"{type(error).__name__}: {error}"
        return Seen(case, (), 0, time.perf_counter() - began, (), said.splitlines()[0])
    seconds = time.perf_counter() - began
    grave = [each for each in found.findings if each.severity != "tip"]
    codes = tuple(each.code for each in grave)
    return Seen(case, codes, len(codes) + len(found.passed), seconds, tuple(each.saw for each in grave))


def chosen(only: list[str], quick: bool, which: str = "both") -> list[Case]:
    """Faults that were asked for, each program's twin first."""
    cases: list[Case] = []
    for number, program in enumerate(PROGRAMS):
        if which != "both" and (number >= len(KNOWN)) != (which == "fresh"):
            continue
        mine = [Case(number, None), *(Case(number, fault) for fault in program.faults)]
        asked = [each for each in mine if not only or any(_fits(each, word) for word in only)]
        if asked and asked[0].fault is not None:
            asked.insert(0, mine[0])
        cases += asked
    return _sample() if quick and not only else cases


def _sample() -> list[Case]:
    """One fault of each program and one twin of each style, mixed: a run that ends early has seen many styles."""
    drawn = random.Random(0)
    twins = {program.style: Case(number, None) for number, program in enumerate(PROGRAMS)}
    faults = [Case(number, drawn.choice(list(program.faults))) for number, program in enumerate(PROGRAMS)]
    cases = [*faults, *twins.values()]
    drawn.shuffle(cases)
    return cases


def _fits(case: Case, word: str) -> bool:
    return word in (case.of.style, case.of.name, case.fault, case.place) or word.lower() in case.place.lower()


def examined(cases: list[Case], jobs: int, until: float) -> list[Seen]:
    """All cases, in their order; none is begun after so many seconds."""
    began = time.perf_counter()
    if jobs > 1:
        with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
            return list(pool.map(seen, cases))
    found: list[Seen] = []
    for case in cases:
        if time.perf_counter() - began > until:
            break
        found.append(seen(case))
    return found


def figures(found: list[Seen]) -> dict[str, Any]:
    """The figures of a run."""
    faults = [each for each in found if each.case.fault is not None]
    twins = [each for each in found if each.case.fault is None]
    hits, runs = sum(each.hit for each in faults), sum(each.ran for each in twins)
    alarms = sum(len(each.codes) for each in twins)
    seconds = [each.seconds for each in found] or [0.0]
    fresh = [each for each in faults if each.case.program >= len(KNOWN)]
    return {
        "fresh_faults": len(fresh),
        "fresh_found": sum(each.hit for each in fresh),
        "faults": len(faults),
        "found": hits,
        "share_found": round(hits / max(1, len(faults)), 4),
        "twins": len(twins),
        "check_runs": runs,
        "false_alarms": alarms,
        "share_false_alarms": round(alarms / max(1, runs), 5),
        "median_seconds": round(statistics.median(seconds), 2),
        "max_seconds": round(max(seconds), 2),
        "missed": [{"fault": e.case.place, "expected": e.case.expected, "said": e.codes} for e in faults if not e.hit],
        "alarms": [{"twin": e.case.place, "codes": e.codes, "saw": e.said} for e in twins if e.codes],
        "raised": {each.case.place: each.raised for each in found if each.raised},
        "styles": {style: _style(style, faults) for style in dict.fromkeys(each.case.of.style for each in faults)},
    }


def _style(style: str, faults: list[Seen]) -> dict[str, int]:
    mine = [each for each in faults if each.case.of.style == style]
    return {"faults": len(mine), "found": sum(each.hit for each in mine)}


def show(found: list[Seen]) -> None:
    """Faults, then twins, as tables."""
    print(f"{'style':<12} {'program':<24} {'fault':<46} {'expected':<22} {'said':<34} {'':<4} {'s':>6}")
    for each in found:
        if each.case.fault is not None:
            expected, said = " ".join(each.case.expected), each.raised or " ".join(each.codes) or "–"
            start = f"{each.case.of.style:<12} {each.case.of.name:<24} {each.case.fault:<46} {expected:<22}"
            print(f"{start} {said:<34} {'hit' if each.hit else 'MISS':<4} {each.seconds:>6.2f}")
    print("\nsound twins")
    for each in found:
        if each.case.fault is None:
            said = each.raised or "; ".join(f"{c}: {s}" for c, s in zip(each.codes, each.said, strict=True)) or "silent"
            print(
                f"{each.case.of.style:<12} {each.case.of.name:<24} {each.ran:>3} checks {each.seconds:>6.2f} s  {said}"
            )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a sample of the programs (a minute at the most)")
    parser.add_argument(
        "--only", action="append", default=[], metavar="WORD", help="a style, a program, or part of a fault"
    )
    parser.add_argument("--set", choices=("known", "fresh", "both"), default="both", help="which programs")
    parser.add_argument("--jobs", type=int, default=1, metavar="N", help="processes")
    options = parser.parse_args()
    began = time.perf_counter()
    until = QUICK_SECONDS if options.quick else float("inf")
    found = examined(chosen(options.only, options.quick, options.set), options.jobs, until)
    show(found)
    print(json.dumps({"quick": options.quick, **figures(found), "wall": round(time.perf_counter() - began, 1)}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
