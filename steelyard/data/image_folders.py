"""Where images lie: class folders, ready splits, flat folders – found from the paths alone."""

from collections.abc import Callable
from dataclasses import dataclass

from steelyard.errors import UserError

PARTS = {
    "train": "train",
    "training": "train",
    "dev": "dev",
    "val": "dev",
    "valid": "dev",
    "validation": "dev",
    "test": "test",
    "testing": "test",
}
DOCUMENTS = {
    ".csv",
    ".tsv",
    ".txt",
    ".md",
    ".json",
    ".xml",
    ".yaml",
    ".yml",
    ".pdf",
    ".html",
    ".py",
    ".ipynb",
    ".mat",
    ".zip",
}
DOCUMENTS |= {".parquet", ".npy", ".npz", ".toml", ".rst", ".log", ".gz", ".xlsx", ".names", ".data"}
IMAGES = {".png", ".jpg", ".jpeg", ".jfif", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".pgm", ".ppm", ".pbm"}


@dataclass(frozen=True)
class Place:
    """One image file: its path in the source, its class folder ("" for none) and its part of a ready split."""

    path: str
    label: str
    part: str


def image_like(path: str) -> bool:
    """Whether the file may be meant as an image: everything but documents; what is no image shows on reading."""
    stem = path.rpartition("/")[2].partition(".")[0]
    return _suffix(path) not in DOCUMENTS and stem.upper() not in {"LICENSE", "LICENCE", "README"}


def has_images(paths: tuple[str, ...]) -> bool:
    """Whether any file has the name of an image."""
    return any(_suffix(path) in IMAGES for path in paths)


def places(paths: tuple[str, ...], fits: Callable[[str], bool] | None = None) -> list[Place]:
    """Class and part of every file that fits (by its name: is image-like), single wrapping folders taken off."""
    kept = [path for path in paths if (fits or image_like)(path)]
    parts = [tuple(path.split("/")) for path in kept]
    depth = _wrapping(parts)
    split = _is_split(parts, depth)
    found = []
    for path, names in zip(kept, parts, strict=True):
        part = PARTS.get(names[depth].lower(), "") if split else ""
        inner = names[depth + bool(part) :]
        found.append(Place(path, inner[0] if len(inner) > 1 else "", part))
    return found


def _suffix(path: str) -> str:
    """The ending with its point in small letters; plain text work, for a zip may hold a hundred thousand names."""
    return "." + path.rpartition(".")[2].lower()


def require_classes(found: list[Place], name: str) -> None:
    """UserError unless the files lie in at least two class folders."""
    labels = sorted({place.label for place in found if place.label})
    if len(labels) < 2:
        came = f"one folder only ('{labels[0]}')" if labels else "no folders with images in them"
        raise UserError(f"{name} has {came}: expected one folder of images for each class, at least two")


def _wrapping(parts: list[tuple[str, ...]]) -> int:
    """How many leading folders all files share, at least two levels of which are left (class folder and file)."""
    depth = 0
    while parts and all(len(p) > depth + 2 for p in parts) and len({p[depth] for p in parts}) == 1:
        depth += 1
    return depth


def _is_split(parts: list[tuple[str, ...]], depth: int) -> bool:
    """Whether the top folders are train and test (or dev)."""
    tops = {p[depth].lower() for p in parts if len(p) > depth + 1}
    known = {PARTS[top] for top in tops if top in PARTS}
    return "train" in known and len(known) > 1 and all(top in PARTS for top in tops)
