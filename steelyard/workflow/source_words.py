"""What a run says of mixed sources: whose rows dev and test hold, what trains, and what is held out of it."""

from steelyard.data.split import Protocol
from steelyard.data.words import counted


def mixed(protocol: Protocol, absent: int) -> str:
    """The split of mixed sources in words; `absent` rows of the data are neither in the pool nor in the test."""
    assert protocol.sources is not None
    words, ordered = protocol.sources.words, protocol.kind == "ordered"
    splits = [protocol.split(0, fold) for fold in range(protocol.folds)]
    dev, train = counted(sum(len(dev) for _, dev in splits), "row"), counted(len(splits[0][0]), "row")
    origin = " before the last origin" * (ordered and protocol.folds > 1)
    held = f"{len(protocol.train_dev(0, 0)):,} more are held out as train-dev"
    turns = f" in {protocol.folds} folds, each once" if protocol.folds > 1 and not ordered else ""
    how = "the last ones before dev" if ordered else "at random"
    said = [
        f"dev and test hold rows of {words} only: dev {dev}{turns}",
        f"{train} of all sources train{origin}, and {held}, {how}",
    ]
    if absent:
        why = "come after the test begins" if ordered else "repeat rows of the test"
        said.append(f"{counted(absent, 'row')} that {why} are in no part")
    return "; ".join(said)
