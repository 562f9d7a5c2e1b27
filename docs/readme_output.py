"""Runs the demo and puts what it printed into the README, between the two markers."""

import re
import subprocess
import sys
import tempfile
from pathlib import Path

README = Path(__file__).parents[1] / "README.md"
BLOCK = re.compile(r"(<!-- demo output: begin -->\n```text\n).*?(```\n<!-- demo output: end -->)", re.S)


def demo() -> str:
    """What `make demo` prints: the story as it goes, then the answer."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "steelyard.demo"]
        done = subprocess.run(
            command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8", check=True
        )
    return "\n".join(line.rstrip() for line in done.stdout.splitlines()) + "\n"


if __name__ == "__main__":
    text = README.read_text(encoding="utf-8")
    shown = demo()
    README.write_text(BLOCK.sub(lambda found: found[1] + shown + found[2], text), encoding="utf-8")
