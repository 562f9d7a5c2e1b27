"""The benchmark of planted faults runs: a fault is named, its sound twin passes in silence, no fault is only a name."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "benchmarks" / "faults"


def ran(*arguments: str) -> dict[str, Any]:
    """The figures that the benchmark prints as its last line."""
    command = [sys.executable, str(FOLDER / "planted.py"), *arguments]
    done = subprocess.run(
        command, stdout=subprocess.PIPE, text=True, check=True, env=os.environ | {"PYTHONPATH": str(ROOT)}
    )
    return dict(json.loads(done.stdout.splitlines()[-1]))


def test_a_planted_fault_is_found_and_its_sound_twin_is_not_accused() -> None:
    found = ran("--only", "mlp/tumour/outputs (N, 1) and targets (N,)", "--only", "an empty list")
    assert (found["faults"], found["found"], found["missed"]) == (2, 2, [])
    assert (found["twins"], found["false_alarms"]) == (2, 0)
    assert found["check_runs"] >= 20 and found["raised"] == {}


def test_there_are_many_faults_of_many_styles() -> None:
    script = (
        "import json; from programs.catalogue import PROGRAMS as all_; "
        "print(json.dumps([[p.style, p.name, list(p.faults.values())] for p in all_]))"
    )
    paths = os.pathsep.join([str(FOLDER), str(ROOT)])
    done = subprocess.run(
        [sys.executable, "-c", script],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        env=os.environ | {"PYTHONPATH": paths},
    )
    programs = json.loads(done.stdout)
    assert len({(style, name) for style, name, _ in programs}) == len(programs) >= 40
    assert len({style for style, _, _ in programs}) >= 12
    codes = [code for _, _, faults in programs for expected in faults for code in expected]
    assert sum(len(faults) for _, _, faults in programs) >= 75
    assert all(code.startswith("SY") and code[2:].isdigit() and len(code) == 5 for code in codes)
