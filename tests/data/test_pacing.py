"""How many threads decode: a trial on the work itself, with a clock that only the work moves."""

from collections.abc import Callable, Iterator, Sequence

import pytest

from steelyard.data.pacing import paced


def told(count: int, seconds: Callable[[int], float], most: int) -> list[tuple[int, int]]:
    """How many of so many items were given to how many threads, where each takes `seconds` of the number of threads."""
    now, given = [0.0], list[tuple[int, int]]()

    def work(items: Sequence[int], threads: int) -> Iterator[int]:
        given.append((len(items), threads))
        now[0] += seconds(threads) * len(items)
        yield from items

    assert list(paced(range(count), work, most, lambda: now[0])) == list(range(count))
    return [(items, threads) for items, threads in given if items]


def by(count: int, seconds: Callable[[int], float], most: int = 8) -> int:
    """The threads that did most of the work."""
    return max(told(count, seconds, most))[1]


def test_short_work_is_done_without_threads() -> None:
    assert {threads for _, threads in told(100, lambda threads: 1e-4 / threads, 8)} == {1}
    assert told(5, lambda threads: 1.0 / threads, 8) == [(5, 1)]


def test_long_work_that_threads_share_gets_all_of_them() -> None:
    assert by(20_000, lambda threads: 1e-3 / threads) == 8
    assert by(20_000, lambda threads: 1e-3 / threads, most=6) == 6


def test_work_that_threads_only_slow_down_is_done_by_one() -> None:
    assert by(20_000, lambda threads: 1e-3 * threads**0.1) == 1
    assert by(20_000, lambda threads: 1e-3) == 1


def test_no_more_threads_than_help() -> None:
    """Beyond three the disk is the bottleneck."""
    assert by(20_000, lambda threads: 1e-3 / min(threads, 2.2), most=64) == 2
    assert by(20_000, lambda threads: 1e-3 / min(threads, 3.5), most=64) == 4


def test_a_trial_is_a_small_part_of_long_work() -> None:
    given = told(20_000, lambda threads: 1e-3, 8)
    assert sum(items for items, _ in given[:-1]) < 300


def test_loading_on_first_use_is_not_taken_for_slow_work() -> None:
    first = iter([1.0])
    given = told(20_000, lambda threads: next(first, 1e-3), 8)
    assert max(given)[1] == 1


@pytest.mark.parametrize("count", [0, 1, 8, 9, 40])
def test_one_processor_never_gets_a_second_thread(count: int) -> None:
    assert {threads for _, threads in told(count, lambda threads: 1.0, 1)} <= {1}
