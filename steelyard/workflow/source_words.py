"""What a run says of mixed sources: whose rows dev and test hold, what trains, and what is held out of it."""

from steelyard.data.split import Protocol
from steelyard.data.words import counted


def mixed(protocol: Protocol, absent: int) -> str:
    """The split of mixed sources in words; `absent` rows of the data are neither in the pool nor in the test."""
    assert protocol.sources is not None
    words, ordered = protocol.sources.words, protocol.kind == "ordered"
    splits = [protocol.split(0, fold) for fold in range(protocol.folds)]
    dev, train = sum(len(dev) for _, dev in splits), len(splits[0][0])
    folds = f" in {protocol.folds} folds, each once" if protocol.folds > 1 else ""
    held = counted(len(protocol.train_dev(0, 0)), "row")
    how = "the last ones before dev, of any source" if ordered else "as they come, of any source"
    said = [
        f"dev and test hold rows of {words} only: dev {counted(dev, 'row')}{folds}",
        f"{counted(train, 'row')} of all sources train; train-dev is {held} held out of them, {how}",
    ]
    if absent:
        why = "come after the test begins" if ordered else "repeat rows of the test"
        said.append(f"{counted(absent, 'row')} that {why} are in no part")
    return "; ".join(said)
