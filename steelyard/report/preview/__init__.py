"""Examples before and after augmentation as people look at them: one small file a modality, found in `VIEWS`."""

from collections.abc import Callable
from pathlib import Path

from steelyard.errors import UserError
from steelyard.report.preview import pictures, tables
from steelyard.techniques.preview import Preview

View = Callable[[Preview], bytes | str]  # a PNG, or text
VIEWS: dict[str, View] = {"image": pictures.view, "tabular": tables.view}
PICTURE = ".png"


def shown(preview: Preview, default: Path, output: Path | None = None) -> Path | str:
    """The file of a picture, which is `default` unless `output` names another; text is only returned unless it does."""
    modality = preview.problem.modality
    if modality not in VIEWS:
        raise UserError(f"there is no preview of {modality} data; there is one of {', '.join(VIEWS)} data")
    drawn = VIEWS[modality](preview)
    place = output or (default if isinstance(drawn, bytes) else None)
    if place is None:
        return str(drawn)
    if isinstance(drawn, bytes) and place.suffix.lower() != PICTURE:
        raise UserError(f"the preview is a picture: give --output a file that ends with {PICTURE}, not {place.name}")
    if place.is_dir() or not place.parent.is_dir():
        raise UserError(f"{place} cannot be written: give --output a file in a folder that exists")
    place.write_bytes(drawn if isinstance(drawn, bytes) else drawn.encode())
    return place
