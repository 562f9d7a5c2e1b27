PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo test test-data check docs bench

.venv/ready: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	touch .venv/ready

demo: .venv/ready
	$(BIN)/python -m steelyard.demo

test: .venv/ready
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2

test-data: .venv/ready
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 -m data

check: .venv/ready
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

docs: .venv/ready
	$(BIN)/python docs/generate.py

bench: .venv/ready
	$(BIN)/python benchmarks/startup.py --quick
	$(BIN)/python benchmarks/tables.py --quick
	$(BIN)/python benchmarks/images.py --quick
	$(BIN)/python benchmarks/engine.py --quick
	$(BIN)/python benchmarks/fleet.py --quick
	$(BIN)/python benchmarks/stopping.py --quick
	$(BIN)/python benchmarks/optimizers.py --quick
	$(BIN)/python benchmarks/image_speed.py --quick
	$(BIN)/python benchmarks/wear.py --quick
	$(BIN)/python benchmarks/shapes.py --quick
	$(BIN)/python benchmarks/calibration.py --quick
	$(BIN)/python benchmarks/race.py --quick
	$(BIN)/python benchmarks/text.py --quick
	$(BIN)/python benchmarks/series.py --quick
	$(BIN)/python benchmarks/multitarget.py --quick
	$(BIN)/python benchmarks/augment.py --quick
	$(BIN)/python benchmarks/imbalance.py --quick
	$(BIN)/python benchmarks/cache.py --quick
	$(BIN)/python benchmarks/leaks.py --quick
	$(BIN)/python benchmarks/diagnosis.py --quick
	$(BIN)/python benchmarks/shift.py --quick
	$(BIN)/python benchmarks/human.py --quick
	$(BIN)/python benchmarks/labels.py --quick
	$(BIN)/python benchmarks/learning_curve.py --quick
	$(BIN)/python benchmarks/slices.py --quick
	$(BIN)/python benchmarks/faults/digits.py --quick
	$(BIN)/python benchmarks/faults/planted.py --quick
	$(BIN)/python benchmarks/live_cost.py --quick
