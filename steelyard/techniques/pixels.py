"""What techniques do to the pixels of a batch of images (n, c, h, w): windows, warps, tones, blurs.

All of it is arithmetic on tensors that may be mapped over members by `torch.func.vmap`. Bytes come back as bytes.
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn.functional import grid_sample


def like(changed: Tensor, images: Tensor) -> Tensor:
    """Float images with values as those of `images`, in their type; bytes are rounded and kept within 0..255."""
    if images.dtype != torch.uint8:
        return changed.to(images.dtype)
    # straight from float to bytes takes four times as long
    return changed.clamp(0, 255).add_(0.5).to(torch.int16).to(torch.uint8)


def chosen(plain: Tensor, changed: Tensor, which: Tensor) -> Tensor:
    """The images of `changed` where `which` (n,) is true, else those of `plain`."""
    rows = len(which)  # copying whole images is five times as quick as choosing pixel by pixel
    return torch.cat((plain, changed)).index_select(0, torch.arange(rows, device=plain.device) + rows * which)


# -- windows --------------------------------------------------------------------------------------------------


def surrounded(images: Tensor, rows: int, columns: int, mirror: bool) -> Tensor:
    """Images with so many mirrored rows (or black ones) above and below them, and columns left and right."""
    if not mirror:
        return torch.nn.functional.pad(images, (columns, columns, rows, rows))
    if rows >= images.shape[2] or columns >= images.shape[3]:  # further than one reflection reaches
        for axis, reach in ((2, rows), (3, columns)):
            side = images.shape[axis]
            places = mirrored(torch.arange(-reach, side + reach, device=images.device), side)
            images = images.index_select(axis, places)
        return images
    if columns:
        flipped = images.flip(3)  # the whole is flipped as quickly as a few columns
        images = torch.cat((flipped[..., -columns - 1 : -1], images, flipped[..., 1 : columns + 1]), 3)
    if rows:
        above, below = images[:, :, 1 : rows + 1].flip(2), images[:, :, -rows - 1 : -1].flip(2)
        images = torch.cat((above, images, below), 2)
    return images


def windows(images: Tensor, top: Tensor, left: Tensor, height: int, width: int) -> Tensor:
    """A window (n, c, height, width) out of every image, its first row and column given by `top` and `left` (n,)."""
    images = images.contiguous()
    n, c, h, w = images.shape
    starts = torch.arange(0, n * c * h * w, c * h * w, device=images.device) + top * w + left
    # one view of all windows that overlap: picking from it copies rows of pixels, not single ones
    count = (n - 1) * c * h * w + (h - height) * w + (w - width) + 1
    return images.as_strided((count, c, height, width), (1, h * w, w, 1)).index_select(0, starts)


def windows_at(images: Tensor, places: Tensor, window: Sequence[int]) -> Tensor:
    """Windows (n, c, *window), smaller ones of smaller images; `places` (n, 2) run from 0 to 1 down and right."""
    sides = [min(wanted, there) for wanted, there in zip(window, images.shape[-2:], strict=True)]
    free = [there - side for there, side in zip(images.shape[-2:], sides, strict=True)]
    top, left = (
        ((room + 1) * place).long().clamp(max=room) for room, place in zip(free, places.unbind(1), strict=True)
    )
    return windows(images, top, left, sides[0], sides[1])


# -- warps ----------------------------------------------------------------------------------------------------


def warped(images: Tensor, matrices: Tensor) -> Tensor:
    """Images seen through an affine map each, bilinear; what lies beyond the border is mirrored.

    `matrices` (n, 2, 3) take the place (x, y, 1) of a pixel of the result to its place in the image. Places run from
    -1 to 1 over the shorter side and further over the longer one, so that a turn is one where sides differ, too.
    """
    h, w = images.shape[-2:]
    side = min(h, w)
    ys, xs = ((torch.arange(s, device=images.device) * 2 + 1 - s).to(matrices.dtype) / side for s in (h, w))
    (a, b, c), (d, e, f) = (row.unsqueeze(-1).unsqueeze(-1).unbind(1) for row in matrices.unbind(1))
    y = ys.view(1, h, 1)
    places = torch.stack(((a * xs + (b * y + c)) * (side / w), (d * xs + (e * y + f)) * (side / h)), -1)
    found = grid_sample(
        images.to(matrices.dtype), places, mode="bilinear", padding_mode="reflection", align_corners=False
    )
    return like(found, images)


def boxes(scale_y: Tensor, scale_x: Tensor, y: Tensor, x: Tensor) -> Tensor:
    """The matrices (n, 2, 3) that show the part of an image of that size around that centre, in units of `warped`."""
    zero = torch.zeros_like(x)
    return torch.stack((torch.stack((scale_x, zero, x), 1), torch.stack((zero, scale_y, y), 1)), 1)


def rotations(angles: Tensor) -> Tensor:
    """The matrices (n, 2, 3) that turn by angles in radians."""
    cos, sin, zero = angles.cos(), angles.sin(), torch.zeros_like(angles)
    return torch.stack((torch.stack((cos, -sin, zero), 1), torch.stack((sin, cos, zero), 1)), 1)


# -- tones ----------------------------------------------------------------------------------------------------

GREY = (0.299, 0.587, 0.114)  # what red, green and blue add to how light a pixel is (ITU-R BT.601)


def each(factors: Tensor) -> Tensor:
    """A number an image (n,) in a shape that goes with (n, c, h, w)."""
    return factors.unsqueeze(-1).unsqueeze(-1).unsqueeze(-1)


def random_bytes(shape: Sequence[int], stream: torch.Generator) -> Tensor:
    """Noise uint8 of that shape; eight bytes are drawn at once."""
    count = math.prod(shape)
    words = torch.randint(-(2**63), 2**63 - 1, ((count + 7) // 8,), generator=stream)
    return words.view(torch.uint8)[:count].view(*shape)


def pasted(images: Tensor, others: Tensor, inside: Tensor) -> Tensor:
    """The pixels of `others` where `inside` (n, h, w) is true, else those of `images`."""
    if images.dtype != torch.uint8:
        return others.where(inside.unsqueeze(1), images)
    # bits are exchanged ten times as quickly as pixels are chosen
    mask = inside.unsqueeze(1).to(torch.uint8).neg()
    return images ^ ((images ^ others) & mask)


def grey(images: Tensor) -> Tensor:
    """How light each pixel is (n, 1, h, w); the mean of the channels where they are not three."""
    if images.shape[1] != 3:
        return images.mean(1, keepdim=True)
    red, green, blue = images.unbind(1)
    return (GREY[0] * red + GREY[1] * green + GREY[2] * blue).unsqueeze(1)


def blended(images: Tensor, towards: Tensor, factors: Tensor) -> Tensor:
    """Float images at `factors` (n,) of their distance from `towards`: 0 is there, 1 here, more is further away."""
    return towards + each(factors) * (images - towards)


def recoloured(images: Tensor, matrices: Tensor) -> Tensor:
    """Colours (n, 3, h, w) through a matrix (n, 3, 3) each."""
    n, c, h, w = images.shape
    mixed = torch.bmm(matrices, images.to(matrices.dtype).reshape(n, c, h * w)).view(n, c, h, w)
    return like(mixed, images)


def colour_matrices(saturation: Tensor, hue: Tensor) -> Tensor:
    """Matrices (n, 3, 3) that multiply the saturation and turn the hue by radians, while greys stay as they are.

    Turning in the plane of equal lightness and scaling in it: Haeberli 1993, "Matrix Operations for Image Processing".
    """
    to_yiq = torch.tensor((GREY, (0.596, -0.274, -0.322), (0.211, -0.523, 0.312)), dtype=hue.dtype, device=hue.device)
    cos, sin, zero = saturation * hue.cos(), saturation * hue.sin(), torch.zeros_like(hue)
    one = torch.ones_like(hue)
    rows = (torch.stack((one, zero, zero), 1), torch.stack((zero, cos, -sin), 1), torch.stack((zero, sin, cos), 1))
    back = torch.linalg.inv(to_yiq)
    matrices: Tensor = back @ torch.stack(rows, 1) @ to_yiq
    return matrices


# -- blurs ----------------------------------------------------------------------------------------------------


def smoothed(images: Tensor, kernels: Tensor) -> Tensor:
    """Float images smoothed along both sides by kernels (n, 2 r + 1), one each; the border is mirrored."""
    down, across = (_bands(kernels, side).unsqueeze(-3) for side in images.shape[-2:])
    return down @ images @ across.transpose(-1, -2)  # small matrices are quicker than a sum of moved images


def _bands(kernels: Tensor, side: int) -> Tensor:
    """Matrices (n, side, side) that smooth a column of so many pixels."""
    reach = kernels.shape[-1] // 2
    steps = torch.arange(-reach, reach + 1, device=kernels.device)
    here = torch.arange(side, device=kernels.device)
    sources = mirrored(here + steps.unsqueeze(1), side)  # (2 r + 1, side)
    hits = (sources.unsqueeze(2) == here).to(kernels.dtype)
    return (kernels @ hits.view(-1, side * side)).view(-1, side, side)


def mirrored(places: Tensor, side: int) -> Tensor:
    """Positions along a side of so many pixels; those beyond the border mirrored, however far."""
    if side == 1:
        return torch.zeros_like(places)
    period = 2 * (side - 1)
    return (side - 1) - ((side - 1) - places.remainder(period)).abs()


def bell(sigmas: Tensor, reach: int) -> Tensor:
    """Kernels (n, 2 reach + 1) of Gauss's bell with those spreads in pixels; spread 0 leaves everything as it is."""
    steps = torch.arange(-reach, reach + 1, dtype=sigmas.dtype)
    weights = (-0.5 * (steps / sigmas.clamp(min=1e-3).unsqueeze(1)) ** 2).exp()
    return weights / weights.sum(1, keepdim=True)


def reach_of(sigma: float) -> int:
    """How many pixels a bell of that spread reaches to either side, at least one."""
    return max(1, math.ceil(2.5 * sigma))


def rectangles(begins: Tensor, sides: Tensor, height: int, width: int) -> Tensor:
    """Which pixels (n, height, width) lie in rectangles whose begin and sides (n, 2) are shares of height and width."""
    inside = []
    for axis, size in enumerate((height, width)):
        centres = (torch.arange(size, device=begins.device) + 0.5) / size
        begin, end = begins[:, axis], begins[:, axis] + sides[:, axis]
        inside.append((centres >= begin.unsqueeze(1)) & (centres < end.unsqueeze(1)))
    return inside[0].unsqueeze(2) & inside[1].unsqueeze(1)
