"""The words around the code: generated pages are fresh, and what the pages name exists."""

import ast
import importlib.util
import re
import shlex
from pathlib import Path
from types import ModuleType

import pytest

import steelyard

ROOT = Path(__file__).parents[1]
PAGES = ("README.md", "CONTRIBUTING.md", "benchmarks/README.md", "docs/features.md")
FEATURES = [
    [cell.strip() for cell in line.strip("|").split(" | ")]
    for line in (ROOT / "docs" / "features.md").read_text(encoding="utf-8").splitlines()
    if re.match(r"\| [A-Z]\d* ?[,(|A-Z]", line)
]


def text(page: str) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


def blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", text(page), re.M | re.S)


def command_lines(page: str) -> list[str]:
    """Every `steelyard …` in the blocks and in the running text of a page."""
    lines = "\n".join(blocks(page, "sh")).splitlines() + re.findall(r"`(steelyard [^`]+)`", text(page))
    return [line for line in lines if line.startswith("steelyard ")]


@pytest.fixture(scope="module")
def generate() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate", ROOT / "docs" / "generate.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_check_of_the_doctor_has_a_page_and_no_page_is_without_its_check(generate: ModuleType) -> None:
    made = {name: page for name, page in generate.pages().items() if name.startswith("checks/")}
    assert {f"checks/{file.name}" for file in (ROOT / "docs" / "checks").glob("*.md")} == set(made)
    stale = [name for name, page in made.items() if text(f"docs/{name}") != page]
    assert not stale, f"{stale} are stale: run make docs"
    assert all("**Broken:**" in page and "**Mended:**" in page for page in made.values() if "SY" in page[:90])


@pytest.mark.parametrize("name", ["commands.md", "techniques.md"])
def test_a_generated_page_is_what_the_code_says_now(generate: ModuleType, name: str) -> None:
    there, now = text(f"docs/{name}").split(), generate.pages()[name].split()
    assert there == now, f"docs/{name} is stale: run make docs"


def test_every_command_is_documented(generate: ModuleType) -> None:
    assert len(generate.commands()) >= 5
    for command in generate.commands():
        assert f"steelyard {command} " in text("README.md"), f"README.md does not show steelyard {command}"
        assert f"## steelyard {command}\n" in text("docs/commands.md")


@pytest.mark.parametrize("page", PAGES)
def test_commands_that_a_page_shows_exist_with_their_options(generate: ModuleType, page: str) -> None:
    helps = {command: generate.help_of(command) for command in generate.commands()}
    for line in command_lines(page):
        _, command, *rest = shlex.split(line, comments=True)
        if command.startswith("-"):
            continue
        assert command in helps, f"{page}: {line}"
        for option in (word for word in rest if word.startswith("--")):
            assert re.search(rf"{option}\b", helps[command]), f"{page}: {line} has an unknown {option}"


@pytest.mark.parametrize("page", PAGES)
def test_make_targets_and_scripts_that_a_page_shows_exist(page: str) -> None:
    for target in re.findall(r"\bmake ([a-z-]+)`|^make ([a-z-]+)", text(page), re.M):
        assert f"\n{''.join(target)}:" in text("Makefile"), f"{page} names make {''.join(target)}"
    for script in re.findall(r"^(?:\.venv/bin/)?python ([\w/]+\.py)", text(page), re.M):
        assert (ROOT / script).exists(), f"{page} names {script}"


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_to_files(page: str) -> None:
    for target in re.findall(r"\]\(([^)#]+)", text(page)):
        assert "://" in target or ((ROOT / page).parent / target).exists(), f"{page} links to {target}"


def test_python_in_the_readme_uses_names_that_exist() -> None:
    from steelyard.records import ErrorTable, RunRecord
    from steelyard.runs import Run

    (code,) = blocks("README.md", "python")
    tree = ast.parse(code)
    for owner, name in ((n.value, n.attr) for n in ast.walk(tree) if isinstance(n, ast.Attribute)):
        written = ast.unparse(owner)
        kind = {"steelyard": steelyard, "run": Run, "run.record": RunRecord, "run.record.errors": ErrorTable}[written]
        assert hasattr(kind, name) or name in kind.__annotations__, f"{written}.{name}"


def test_the_readme_shows_what_the_demo_prints() -> None:
    marked = re.findall(
        r"<!-- demo output: begin -->\n```text\n(.+?)```\n<!-- demo output: end -->", text("README.md"), re.S
    )
    assert len(marked) == 1
    assert "report.html" in marked[0]


def test_no_figure_is_left_to_be_measured() -> None:
    assert not [page for page in ("README.md", "benchmarks/README.md") if "TO BE MEASURED" in text(page)]


@pytest.mark.parametrize("row", FEATURES, ids=[f"{row[0]}-{number}" for number, row in enumerate(FEATURES)])
def test_a_feature_is_named_by_its_id_and_shown_by_files_that_exist(row: list[str]) -> None:
    _, _, command, python, shown = row
    assert command.startswith("`steelyard ") and python.startswith("`")
    files = re.findall(r"`((?:tests|benchmarks)/[^`]+)`", shown)
    assert files
    missing = [file for file in files if not (ROOT / file).exists()]
    assert not missing


def test_techniques_that_the_features_name_exist() -> None:
    from steelyard.techniques import catalogue

    named = re.findall(r"`steelyard techniques ([a-z]\S+)`", text("docs/features.md") + text("README.md"))
    assert set(named) <= set(catalogue())


def test_no_page_names_a_path_of_the_machine_it_was_written_on() -> None:
    for page in (*PAGES, "CHANGELOG.md", "docs/commands.md", "docs/techniques.md"):
        assert not re.search(r"(?<![\w.])/(home|work|tmp|root|Users)/", text(page)), page
