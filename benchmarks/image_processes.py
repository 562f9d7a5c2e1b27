"""One process with one thread, one with two, two with one each: images a second, in turns on the whole machine."""

import multiprocessing
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

import torch
from image_steps import Case, trainer

PAUSE = 0.3  # seconds: threads of a runtime keep turning for a while after their work
ONE, THREADS, MOST = "1 process, 1 thread", "1 process, 2 threads", "2 processes, 1 thread each"


@dataclass(frozen=True)
class Speed:
    """Images a second by the clock, and how many processors were at work for them on average."""

    images: float
    busy: float


def rounds(case: Case, seconds: float, count: int) -> dict[str, tuple[Speed, ...]]:
    """The speed of every arrangement in every round; a first round of all is not counted."""
    with _workers(case, (1, 1, 2)) as (one, other, two):
        teams = {ONE: [one], THREADS: [two], MOST: [one, other]}
        found: dict[str, list[Speed]] = {name: [] for name in teams}
        for number in range(count + 1):
            for name, team in teams.items():
                time.sleep(PAUSE)
                speed = _speed(team, seconds)
                if number:
                    found[name].append(speed)
    return {name: tuple(each) for name, each in found.items()}


def _speed(team: list[Connection], seconds: float) -> Speed:
    for worker in team:
        worker.send(seconds)
    answers = [worker.recv() for worker in team]
    return Speed(sum(images / wall for images, wall, _ in answers), sum(used / wall for _, wall, used in answers))


@contextmanager
def _workers(case: Case, threads: tuple[int, ...]) -> Iterator[list[Connection]]:
    context = multiprocessing.get_context("spawn")
    ends, started = list[Connection](), list[Any]()
    for number in threads:
        mine, theirs = context.Pipe()
        process = context.Process(target=_work, args=(theirs, case, number), daemon=True)
        process.start()
        ends.append(mine)
        started.append(process)
    try:
        yield ends
    finally:
        for end, process in zip(ends, started, strict=True):
            end.send(0.0)
            process.join()


def _work(pipe: Connection, case: Case, threads: int) -> None:
    """Train for as many seconds as asked, and answer with images, seconds by the clock and of the processor."""
    torch.set_num_threads(threads)
    torch.set_flush_denormal(True)
    step = trainer(case)
    while seconds := pipe.recv():
        start, used, steps = time.perf_counter(), time.process_time(), 0
        while time.perf_counter() - start < seconds:
            step()
            steps += 1
        pipe.send((steps * case.batch, time.perf_counter() - start, time.process_time() - used))
