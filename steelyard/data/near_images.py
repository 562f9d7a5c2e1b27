"""Images that are nearly the same: stored anew, resized, a little brighter – but not merely two of a kind.

A perceptual hash holds the signs of the lowest frequencies of a small grey copy (Zauner 2010, "Implementation and
Benchmarking of Perceptual Image Hash Functions", section 3.2), each against its median over the set. Random samples of
its bits (Indyk and Motwani 1998, "Approximate Nearest Neighbors") bring images together without comparing all with all.

What they bring together is then measured, pixel by pixel, and held against how far apart different images of this set
lie: in smooth data the share of neighbours within r times the distance of the m-th one falls like r to the power of the
dimension, which is estimated from the set itself (Facco et al. 2017, "Estimating the intrinsic dimension of datasets by
a minimal neighborhood information", Scientific Reports 7). r is chosen such that chance gives one pair in a hundred
sets: digits that look alike raise no alarm.
"""

import numpy as np
from scipy.fft import dctn

from steelyard.data.mapped import Images, chunks
from steelyard.data.near_texts import bucket_pairs

Array = np.ndarray
MOST = 100_000  # images that are compared
SIDE = 16  # pixels of the small copy
BITS, SAMPLES, DIFFERENT = 64, 24, 14  # bits of the hash; samples of them; bits that may differ
FEWEST_BITS, MOST_BITS = 8, 16  # of a sample: about as many as make its buckets hold one image
REACH = 4  # neighbours in a bucket that an image is compared with
SPREAD = 2.0  # grey levels: flatter images are alike anyway
FARTHEST = 0.5  # distance of normalised images, 0 for the same and 1.4 for unrelated ones, above which none are alike
JUDGED = 4_000  # pairs that are held against the set, the closest first
OTHERS, NTH, FOR_DIMENSION = 4_000, 10, 1_000  # images a pair is held against; neighbour that is the measure
BY_CHANCE = 0.01  # pairs expected in a set without any
SEED = 0


def near_images(images: Images) -> Array:
    """Pairs (m, 2) of nearly the same images (n, h, w, c) uint8; of the first `MOST`. Flat ones are like no other."""
    small, flat = _small(images)
    usable = np.flatnonzero(~flat)
    if len(usable) < NTH:
        return np.zeros((0, 2), np.int64)
    small = small[usable]
    pairs = _candidates(_hashes(small))
    points = small.reshape(len(small), -1)
    far = _distances(points, pairs)
    order = np.argsort(far, kind="stable")[:JUDGED]
    order = order[far[order] <= FARTHEST]
    pairs, far = pairs[order], far[order]
    if not len(pairs):
        return np.zeros((0, 2), np.int64)
    return np.asarray(usable[pairs[far <= _near_enough(points, pairs)]], np.int64)


def _small(images: Images) -> tuple[Array, Array]:
    """Copies (n, SIDE, SIDE, c) float32 of mean 0 and length 1 each, and which ones are flat (n,)."""
    _, height, width, channels = images.shape
    count = min(len(images), MOST)
    down, across = _averages(height), _averages(width)
    small = np.empty((count, SIDE, SIDE, channels), np.float32)
    for begin, chunk in chunks(images[:count] if isinstance(images, np.ndarray) else images):
        if begin >= count:
            break
        part = np.asarray(chunk, np.float32)[: count - begin]
        small[begin : begin + len(part)] = np.einsum("ih,nhwc,jw->nijc", down, part, across, optimize=True)
    small -= small.mean(axis=(1, 2, 3), keepdims=True)
    length = np.sqrt((small**2).sum(axis=(1, 2, 3), keepdims=True))
    flat = length.ravel() < SPREAD * np.sqrt(SIDE * SIDE * channels)
    return small / np.maximum(length, 1e-6), flat


def _averages(size: int) -> Array:
    """The matrix (SIDE, size) that averages over equal stretches."""
    edges = np.linspace(0, size, SIDE + 1)
    places = np.arange(size)
    shared = np.minimum(edges[1:, None], places + 1) - np.maximum(edges[:-1, None], places)
    return np.asarray(np.clip(shared, 0, None) * SIDE / size, np.float32)


def _hashes(small: Array) -> Array:
    """Bits (n, BITS): whether each of the lowest frequencies is above its median over the set."""
    waves = dctn(small.mean(axis=3), axes=(1, 2), norm="ortho")
    down, across = np.divmod(np.arange(SIDE * SIDE), SIDE)
    lowest = np.lexsort((down, np.maximum(down, across), down + across))[1 : BITS + 1]
    values = waves.reshape(len(small), -1)[:, lowest]
    return np.asarray(values > np.median(values, axis=0))


def _candidates(bits: Array) -> Array:
    """Pairs (m, 2) of images that agree in some sample of the bits, and differ in few."""
    stream = np.random.default_rng(SEED)
    sampled = int(np.clip(np.log2(len(bits)) + 1, FEWEST_BITS, MOST_BITS))
    found = []
    for _ in range(SAMPLES):
        chosen = np.sort(stream.choice(BITS, sampled, replace=False))
        pairs = bucket_pairs(bits[:, chosen] @ (1 << np.arange(sampled)), REACH)
        found.append(pairs[(bits[pairs[:, 0]] != bits[pairs[:, 1]]).sum(axis=1) <= DIFFERENT])
    return np.unique(np.vstack(found), axis=0)


def _distances(points: Array, pairs: Array) -> Array:
    """The distance of each pair (m,)."""
    found = np.empty(len(pairs))
    for begin in range(0, len(pairs), 8192):
        one, other = pairs[begin : begin + 8192].T
        found[begin : begin + 8192] = np.sqrt(((points[one] - points[other]) ** 2).sum(axis=1))
    return found


def _near_enough(points: Array, pairs: Array) -> Array:
    """For each pair the distance (m,) below which it is no coincidence."""
    stream, count = np.random.default_rng(SEED), len(points)
    others = np.sort(stream.choice(count, min(count, OTHERS), replace=False))
    involved, place = np.unique(pairs, return_inverse=True)
    reach = _nth(points, involved, others)
    chance = BY_CHANCE * len(others) / (float(count) ** 2 * NTH)
    ratio = chance ** (1 / _dimension(points, others[:FOR_DIMENSION]))
    return np.asarray(ratio * reach[place.reshape(-1, 2)].min(axis=1))


def _nth(points: Array, rows: Array, others: Array) -> Array:
    """The distance (k,) of each row's NTH nearest neighbour among the others."""
    found = np.empty(len(rows))
    for begin in range(0, len(rows), 512):
        part = rows[begin : begin + 512]
        squared = 2 - 2 * points[part] @ points[others].T
        squared[part[:, None] == others] = np.inf
        nth = min(NTH, len(others) - 1) - 1
        found[begin : begin + 512] = np.sqrt(np.partition(squared, nth, axis=1)[:, nth].clip(0))
    return found


def _dimension(points: Array, rows: Array) -> float:
    """The dimension of the set near its points, by the ratio of the distances of two nearest neighbours."""
    squared = 2 - 2 * points[rows] @ points[rows].T
    np.fill_diagonal(squared, np.inf)
    two = np.sqrt(np.partition(squared, 1, axis=1)[:, :2].clip(0))
    ratio = two[:, 1] / np.maximum(two[:, 0], 1e-6)
    middle = float(np.median(ratio[two[:, 0] > 1e-3])) if (two[:, 0] > 1e-3).any() else 2.0
    return float(np.clip(np.log(2) / np.log(max(middle, 1.001)), 2.0, 30.0))
