"""How many threads work side by side: found out on the work itself.

Threads help where decoding takes long and lets others run meanwhile: large pictures. For small ones, from a slow disk
or on a busy machine they only get in each other's way. No rule by file sizes knows that; a short trial does.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

Item = TypeVar("Item")
Made = TypeVar("Made")
WARM = 8  # items before the first lap: what is loaded on first use must not count
LAP = 0.05  # seconds a trial of a number of threads takes, about
FEWEST = 32  # items of a lap for every thread, so that none waits long at its end
GAIN = 1.2  # twice the threads must be so many times as quick
WORTH = 0.25  # seconds of work left, at least, for a trial to pay


def paced(
    items: Sequence[Item],
    work: Callable[[Sequence[Item], int], Iterator[Made]],
    most: int,
    clock: Callable[[], float] = time.perf_counter,
) -> Iterator[Made]:
    """What `work` makes of items in their order, with as many threads as are quickest, at most so many.

    It begins with one, on which short work ends. While much is left, twice as many are tried, and kept as long as
    that is quicker by a fifth.
    """
    start = clock()
    yield from work(items[:WARM], 1)
    pace, done, before = (clock() - start) / WARM, min(WARM, len(items)), float("inf")
    threads = tried = 1
    while done < len(items):
        lap = items[done : done + max(FEWEST * tried, int(LAP / max(pace, 1e-9)))]
        start = clock()
        yield from work(lap, tried)
        pace, done = (clock() - start) / len(lap), done + len(lap)
        if pace * GAIN > before:
            break
        threads, before = tried, pace
        if threads == most or pace * (len(items) - done) < WORTH:
            break
        tried = min(2 * threads, most)
    yield from work(items[done:], threads)
