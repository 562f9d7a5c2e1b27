"""The house: which way imports point, what is public, what must not be in the code, how long things are."""

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import steelyard

ROOT = Path(steelyard.__file__).parent
FLOORS = (  # the lowest first; a room imports rooms of its own floor and of those below
    {"errors", "several", "doctor"},
    {"knobs", "metrics", "problem"},
    {"parts", "recipe", "records"},
    {"boxes", "data", "networks", "classical", "techniques"},
    {"training"},
    {"trials"},
    {"weighing", "diagnosis", "finish"},
    {"workflow", "report"},
    {"runs", "comparing", "diagnosing", "inspecting", "layers", "terminal", "demo", "options"},
    {"commands", "cli", "__main__"},
)
PIPES = {"trials/worker.py", "trials/executor.py"}  # pickles between a process and its own child, never a file
LONGEST_FILE, LONGEST_FUNCTION = 450, 100


@cache
def trees() -> dict[str, ast.Module]:
    """The syntax tree of every file of the package, by its path inside."""
    files = sorted(ROOT.rglob("*.py"))
    return {str(f.relative_to(ROOT)): ast.parse(f.read_text(encoding="utf-8")) for f in files}


def room(path: str) -> str:
    """The room a file stands in: `data` for data/split.py, `cli` for cli.py."""
    return path.split("/")[0].removesuffix(".py")


def imported(tree: ast.Module) -> Iterator[str]:
    """The modules a file names in import statements, wherever they stand in it."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def edges() -> set[tuple[str, str, str]]:
    """(file, its room, the other room it imports); the package's own names such as the version are no room."""
    rooms = set().union(*FLOORS)
    found = set()
    for path, tree in trees().items():
        if path == "__init__.py":
            continue
        for name in imported(tree):
            parts = name.split(".")
            if parts[0] == "steelyard" and parts[1:2] and parts[1] in rooms and parts[1] != room(path):
                found.add((path, room(path), parts[1]))
    return found


def floor(name: str) -> int:
    return next(i for i, names in enumerate(FLOORS) if name in names)


def test_every_room_has_a_floor() -> None:
    rooms = {room(path) for path in trees()} - {"__init__"}
    assert rooms <= set().union(*FLOORS), rooms - set().union(*FLOORS)


def test_imports_point_down() -> None:
    upward = [f"{path} imports {other}" for path, own, other in sorted(edges()) if floor(other) > floor(own)]
    assert not upward


def test_rooms_of_one_floor_do_not_import_each_other_in_a_circle() -> None:
    below: dict[str, set[str]] = {}
    for _, own, other in edges():
        below.setdefault(own, set()).add(other)
    while below:
        free = {name for name in below if not below[name] & set(below)}
        assert free, f"a circle among {sorted(below)}"
        below = {name: others for name, others in below.items() if name not in free}


def test_every_public_name_can_be_imported() -> None:
    for name in steelyard.__all__:
        assert getattr(steelyard, name) is not None


def test_every_name_that_can_be_imported_lazily_is_public() -> None:
    assert set(steelyard._WHERE) == set(steelyard.__all__) - {"__version__"}
    checked = next(node for node in trees()["__init__.py"].body if isinstance(node, ast.If))
    assert {name.rpartition(".")[2] for name in imported(ast.Module([checked], []))} == set(steelyard._WHERE)


def test_an_unknown_public_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'weight'"):
        _ = steelyard.weight


def test_nothing_is_unpickled_but_the_workers_own_pipes() -> None:
    for path, tree in trees().items():
        names = {name.split(".")[0] for name in imported(tree)}
        assert path in PIPES or not names & {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"}
        for node in ast.walk(tree):
            assert not (isinstance(node, ast.Attribute) and ast.unparse(node) in {"torch.load", "torch.save"}), path


def test_no_text_is_run_as_code() -> None:
    for path, tree in trees().items():
        called = {node.func.id for node in ast.walk(tree) if isinstance(node, ast.Call) and hasattr(node.func, "id")}
        assert not called & {"eval", "exec", "compile", "__import__"}, path


def test_the_library_never_prints() -> None:
    speakers = {"cli.py", "terminal.py", "demo.py"}
    for path, tree in trees().items():
        called = {node.func.id for node in ast.walk(tree) if isinstance(node, ast.Call) and hasattr(node.func, "id")}
        assert path in speakers or "print" not in called, path


def test_the_sealed_test_is_opened_by_exactly_one_function() -> None:
    opens = []
    for path, tree in trees().items():
        for function in (n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef)):
            called = [n.func for n in ast.walk(function) if isinstance(n, ast.Call)]
            opened = [f for f in called if isinstance(f, ast.Attribute) and f.attr == "open"]
            opens += [f"{path}:{function.name}" for f in opened if "sealed" in ast.unparse(f.value).lower()]
    assert opens == ["workflow/finish.py:_open_test"]


def test_the_inputs_of_the_sealed_test_are_read_by_exactly_one_function() -> None:
    reads = []
    for path, tree in trees().items():
        for function in (n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef)):
            called = [n.func for n in ast.walk(function) if isinstance(n, ast.Call)]
            read = [f for f in called if isinstance(f, ast.Attribute) and f.attr == "inputs"]
            reads += [f"{path}:{function.name}" for f in read if "sealed" in ast.unparse(f.value).lower()]
    assert reads == ["workflow/shift.py:_with_test"]


def test_nobody_reaches_behind_the_seal() -> None:
    for path, tree in trees().items():
        touched = {n.attr for n in ast.walk(tree) if isinstance(n, ast.Attribute)}
        assert "_Sealed__dataset" not in touched, path
        assert path == "data/sealed.py" or "__dataset" not in touched, path


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["run", "--help"], ["predict", "--help"]])
def test_help_loads_nothing_heavy(arguments: list[str]) -> None:
    code = (
        "import json, sys\n"
        "from steelyard.cli import main\n"
        f"try: main({arguments!r})\n"
        "except SystemExit as end: assert end.code == 0\n"
        "print(json.dumps(sorted(sys.modules)), file=sys.stderr)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    heavy = {"torch", "sklearn", "pandas", "numpy", "scipy", "matplotlib", "pyarrow", "PIL", "sqlalchemy", "rich"}
    assert not heavy & set(json.loads(done.stderr))
    assert done.stdout


def sizes() -> Iterator[tuple[int, str]]:
    """(lines, name) of every file and function."""
    for path, tree in trees().items():
        yield len((ROOT / path).read_text(encoding="utf-8").splitlines()), path
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef):
                yield (node.end_lineno or node.lineno) - node.lineno + 1, f"{path}:{node.name}"


def test_no_file_and_no_function_is_too_long() -> None:
    files = sorted(((n, name) for n, name in sizes() if ":" not in name), reverse=True)
    functions = sorted(((n, name) for n, name in sizes() if ":" in name), reverse=True)
    middle = [each[len(each) // 2][0] for each in (files, functions)]
    print(f"\nmedian file {middle[0]} lines, median function {middle[1]}; the longest:")
    print("\n".join(f"{n:5d} {name}" for n, name in [*files[:5], *functions[:8]]))
    assert files[0][0] <= LONGEST_FILE, files[0]
    assert functions[0][0] <= LONGEST_FUNCTION, functions[0]
