"""Draw a scene as a photograph: painted, shaded, grained. One canvas for the whole city, so no seams."""

from __future__ import annotations

import cv2
import numpy as np
import shapely
from numpy.typing import NDArray

from data.world.geometry import Points
from data.world.plan import SUN, SUN_HEIGHT
from data.world.scene import (
    ASPHALT,
    CROP,
    FOREST,
    GRASS,
    METAL,
    PAVING,
    PLAIN,
    ROOF,
    SOIL,
    WATER,
    Colour,
    Scene,
)

_SHIFT = 4  # sub-pixel bits of OpenCV's polygon coordinates
# Noise by texture: weight of the fine, middle, coarse and broad octave.
_NOISE = {
    PLAIN: (0.015, 0.01, 0.01, 0.01),
    ASPHALT: (0.018, 0.028, 0.035, 0.04),
    GRASS: (0.026, 0.055, 0.07, 0.07),
    SOIL: (0.03, 0.05, 0.06, 0.06),
    ROOF: (0.032, 0.032, 0.03, 0.02),
    WATER: (0.006, 0.010, 0.02, 0.05),
    PAVING: (0.020, 0.035, 0.05, 0.05),
    CROP: (0.018, 0.035, 0.06, 0.08),
    FOREST: (0.03, 0.05, 0.06, 0.09),
    METAL: (0.02, 0.015, 0.02, 0.02),
}
_PERIOD = 1024  # metres after which noise repeats


class Canvas:
    """An RGB picture (H, W, 3) uint8 whose first pixel has its upper-left corner at `left`, `top` metres."""

    def __init__(self, left: float, top: float, width: int, height: int, resolution: float) -> None:
        self.left, self.top, self.resolution = left, top, resolution
        self.rgb: NDArray[np.uint8] = np.full((height, width, 3), (118, 122, 88), np.uint8)
        self.texture: NDArray[np.uint8] = np.full((height, width), GRASS, np.uint8)

    def pixels(self, points: Points) -> NDArray[np.int32]:
        """Return OpenCV fixed-point coordinates; OpenCV counts from pixel centres, hence the half."""
        column = (points[:, 0] - self.left) / self.resolution - 0.5
        row = (self.top - points[:, 1]) / self.resolution - 0.5
        return np.rint(np.stack([column, row], 1) * (1 << _SHIFT)).astype(np.int32)

    def rings(self, rings: list[Points]) -> list[NDArray[np.int32]]:
        """Return many polygons in fixed-point pixels at once (one transformation for all their corners)."""
        if not rings:
            return []
        ends = np.cumsum([len(ring) for ring in rings])
        every = self.pixels(np.concatenate(rings))
        starts = np.concatenate([[0], ends[:-1]])
        return [every[a:b] for a, b in zip(starts.tolist(), ends.tolist(), strict=True)]

    def fill(self, shapes: list[tuple[Points, Colour, int]]) -> None:
        """Fill polygons in their order, anti-aliased, and note the texture of each."""
        for ring, (_, colour, texture) in zip(self.rings([s[0] for s in shapes]), shapes, strict=True):
            cv2.fillPoly(self.rgb, [ring], colour, cv2.LINE_AA, _SHIFT)
            cv2.fillPoly(self.texture, [ring], texture, cv2.LINE_8, _SHIFT)

    def tint(self, shapes: list[tuple[Points, Colour]]) -> None:
        """Fill small polygons whose texture stays that of the ground."""
        for ring, (_, colour) in zip(self.rings([s[0] for s in shapes]), shapes, strict=True):
            cv2.fillPoly(self.rgb, [ring], colour, cv2.LINE_AA, _SHIFT)

    def mask(self, rings: list[Points]) -> NDArray[np.uint8]:
        """Return an anti-aliased mask (H, W), 255 inside any of the rings."""
        result = np.zeros(self.texture.shape, np.uint8)
        for ring in self.rings(rings):
            cv2.fillPoly(result, [ring], 255, cv2.LINE_AA, _SHIFT)
        return result

    def strokes(self, lines: list[tuple[Points, Colour, float]]) -> None:
        """Draw lines of widths in metres; one thinner than a pixel is paled toward what lies under it."""
        for ring, (_, colour, width) in zip(self.rings([line[0] for line in lines]), lines, strict=True):
            thickness = width / self.resolution
            if thickness < 0.75:
                column, row = (ring[len(ring) // 2] >> _SHIFT).tolist()
                if not (0 <= row < self.texture.shape[0] and 0 <= column < self.texture.shape[1]):
                    continue
                under = self.rgb[row, column].tolist()
                share = max(0.25, thickness)
                colour = tuple(share * c + (1 - share) * u for c, u in zip(colour, under, strict=True))
            cv2.polylines(self.rgb, [ring], False, colour, max(1, round(thickness)), cv2.LINE_AA, _SHIFT)


def periodic_noise(rng: np.random.Generator, size: int, scale: float) -> NDArray[np.float32]:
    """Return unit-variance noise (size, size) that wraps at its edges, smooth over `scale` pixels."""
    frequency = np.hypot(np.fft.fftfreq(size)[:, None], np.fft.rfftfreq(size)[None])
    spectrum = np.fft.rfft2(rng.standard_normal((size, size))) * np.exp(
        -0.5 * (2 * np.pi * frequency * scale) ** 2
    )
    noise = np.fft.irfft2(spectrum, (size, size))
    return (noise / noise.std()).astype(np.float32)


def draw(scene: Scene, canvas: Canvas, rng: np.random.Generator, water: shapely.Geometry) -> None:
    """Paint a scene in its order; `rng` moves only noise, never an object."""
    canvas.fill(scene.ground)
    for ring, angle, period, depth in scene.furrows:
        _furrow(canvas, ring, angle, period, depth)
    canvas.fill(scene.late_ground)
    if scene.forests:
        _forest(canvas, scene.forests, rng)
    canvas.strokes(scene.strokes)
    canvas.tint(scene.marks)
    crowns = _dry_crowns(scene, water)
    _shade(canvas, scene, crowns)
    canvas.fill(scene.roofs)
    canvas.tint(scene.details)
    _plant(canvas, crowns, rng)
    _texture(canvas, rng)
    _film(canvas, rng)


def _dry_crowns(scene: Scene, water: shapely.Geometry) -> NDArray[np.float64]:
    """Return the trees (n, 4) that do not lean over the water."""
    crowns = np.asarray(scene.crowns, float).reshape(-1, 4)
    wet = water.buffer(3.5)
    shapely.prepare(wet)
    return crowns[~shapely.contains_xy(wet, crowns[:, 0], crowns[:, 1])]


def _shade(canvas: Canvas, scene: Scene, crowns: NDArray[np.float64]) -> None:
    mask = canvas.mask(scene.shade)
    reach = 1.0 / np.tan(SUN_HEIGHT)
    scale = (1 << _SHIFT) / canvas.resolution
    at = canvas.pixels(crowns[:, :2] - np.array(SUN) * reach * 1.5 * crowns[:, 2:3]).tolist()
    for place, radius in zip(at, (crowns[:, 2] * 0.95 * scale).astype(int).tolist(), strict=True):
        cv2.circle(mask, place, radius, 255, -1, cv2.LINE_AA, _SHIFT)
    cv2.GaussianBlur(mask, (0, 0), 0.6, mask)
    tint = (0.60, 0.57, 0.50)  # shade keeps the sky's blue
    for channel in range(3):
        plane = canvas.rgb[:, :, channel]
        darker = cv2.convertScaleAbs(mask, alpha=tint[channel])
        plane[:] = cv2.multiply(plane, 255 - darker, scale=1 / 255)


def _furrow(canvas: Canvas, ring: Points, angle: float, period: float, depth: float) -> None:
    """Lay furrow rows over a field: stripes across the direction `angle`."""
    pixels = canvas.pixels(ring) >> _SHIFT
    low = np.maximum(pixels.min(0) - 1, 0)
    high = np.minimum(pixels.max(0) + 2, canvas.texture.shape[::-1])
    if (high <= low).any():
        return
    inside = np.zeros((high[1] - low[1], high[0] - low[0]), np.uint8)
    cv2.fillPoly(inside, [pixels - low.astype(np.int32)], 1)
    rows, columns = np.mgrid[low[1] : high[1], low[0] : high[0]].astype(np.float32) * canvas.resolution
    across = columns * np.sin(angle) + rows * np.cos(angle)
    wobble = 1.2 * np.sin((columns * np.cos(angle) - rows * np.sin(angle)) / 37.0)
    gain = (
        1
        + depth * np.sin((across + wobble) * 2 * np.pi / period)
        + 0.5 * depth * np.sin(across * 2 * np.pi / (period * 5.3))
    )
    patch = canvas.rgb[low[1] : high[1], low[0] : high[0]]
    patch[:] = np.where(inside[:, :, None] > 0, np.clip(patch * gain[:, :, None], 0, 255), patch).astype(
        np.uint8
    )


def _crowns(
    image: NDArray[np.uint8],
    at: NDArray[np.float64],
    radius: NDArray[np.float64],
    tone: NDArray[np.float64],
    n_lobes: int,
    rng: np.random.Generator,
) -> None:
    """Stamp lit crowns: a dark body, then lobes that brighten toward the sun (at, radius in pixels)."""
    n = len(at)
    base = np.stack([56 + 26 * tone, 70 + 25 * tone, 43 + 13 * tone], 1)
    angle, distance = rng.uniform(0, 2 * np.pi, (n, n_lobes)), rng.uniform(0.15, 0.62, (n, n_lobes))
    dx, dy = distance * np.cos(angle), distance * np.sin(angle)
    sunny = (dx * SUN[0] + dy * SUN[1]) / 0.6
    order = np.argsort(sunny, 1)
    dx, dy, sunny = (np.take_along_axis(v, order, 1) for v in (dx, dy, sunny))
    one = 1 << _SHIFT
    size = (radius[:, None] * rng.uniform(0.28, 0.5, (n, n_lobes)) * one).astype(int)
    places = np.stack(
        [(at[:, :1] + radius[:, None] * dx) * one, (at[:, 1:] - radius[:, None] * dy) * one], 2
    ).astype(int)
    colours = (0.66 + 0.26 * (1 + sunny))[:, :, None] * base[:, None]
    body = zip(
        (at * one).astype(int).tolist(),
        (radius * one).astype(int).tolist(),
        (0.62 * base).tolist(),
        strict=True,
    )
    lobes = zip(places.tolist(), size.tolist(), colours.tolist(), strict=True)
    for (centre, reach, dark), (spots, sizes, lights) in zip(body, lobes, strict=True):
        cv2.circle(image, centre, reach, dark, -1, cv2.LINE_AA, _SHIFT)
        for spot, lobe, light in zip(spots, sizes, lights, strict=True):
            cv2.circle(image, spot, lobe, light, -1, cv2.LINE_AA, _SHIFT)


def _plant(canvas: Canvas, crowns: NDArray[np.float64], rng: np.random.Generator) -> None:
    crowns = crowns[np.argsort(crowns[:, 2], kind="stable")]
    pixels = canvas.pixels(crowns[:, :2]) / (1 << _SHIFT)
    _crowns(
        canvas.rgb,
        pixels,
        crowns[:, 2] / canvas.resolution,
        crowns[:, 3],
        3 if canvas.resolution > 1.5 else 6,
        rng,
    )


def _forest(canvas: Canvas, rings: list[Points], rng: np.random.Generator) -> None:
    """Cover woods with crowns cut from one wrapped texture, 768 m wide."""
    size = round(768 / canvas.resolution)
    tile = np.full((size, size, 3), (40, 52, 32), np.uint8)
    n = int(768 / 5.4) ** 2
    places = rng.uniform(0, size, (n, 2))
    radius = rng.uniform(2.2, 4.6, n) / canvas.resolution
    tone = np.clip(rng.normal(0.25, 0.35, n), -0.5, 1.1)
    edge = 6 / canvas.resolution
    copies = [(places, radius, tone)]
    for axis in (0, 1):  # a crown that leaves at one side comes in at the other
        for at, r, t in list(copies):
            low, high = at[:, axis] < edge, at[:, axis] > size - edge
            step = np.eye(2)[axis] * size
            copies += [(at[low] + step, r[low], t[low]), (at[high] - step, r[high], t[high])]
    _crowns(
        tile,
        np.concatenate([c[0] for c in copies]),
        np.concatenate([c[1] for c in copies]),
        np.concatenate([c[2] for c in copies]),
        3 if canvas.resolution > 1.5 else 5,
        rng,
    )
    mask = canvas.mask(rings)
    height, width = mask.shape
    for top in range(0, height, size):
        for left in range(0, width, size):
            part = mask[top : top + size, left : left + size]
            if part.any():
                patch = canvas.rgb[top : top + size, left : left + size]
                weight = part[:, :, None].astype(np.uint16)
                mixed = (patch * (255 - weight) + tile[: patch.shape[0], : patch.shape[1]] * weight) // 255
                patch[:] = mixed.astype(np.uint8)
                canvas.texture[top : top + size, left : left + size][part > 127] = FOREST


def _texture(canvas: Canvas, rng: np.random.Generator) -> None:
    """Multiply every material by its own noise; one period for the whole city, so tiles show no seams."""
    period = round(_PERIOD / canvas.resolution)
    octaves = [periodic_noise(rng, period, s / canvas.resolution) for s in (0.55, 1.8, 6.0, 28.0)]
    weights = np.array([_NOISE[i] for i in range(len(_NOISE))], np.float32)
    height, width = canvas.texture.shape
    slow = cv2.resize(
        rng.standard_normal((height // 420 + 3, width // 420 + 3)).astype(np.float32),
        (width, height),
        interpolation=cv2.INTER_CUBIC,
    )
    for top in range(0, height, period):
        rows = slice(top, min(top + period, height))
        n = rows.stop - rows.start
        for left in range(0, width, period):
            columns = slice(left, min(left + period, width))
            m = columns.stop - columns.start
            kind = canvas.texture[rows, columns]
            gain = 1 + 0.025 * slow[rows, columns]
            for i, noise in enumerate(octaves):
                gain += weights[kind, i] * noise[:n, :m]
            patch = canvas.rgb[rows, columns]
            patch[:] = np.clip(patch * gain[:, :, None], 0, 255).astype(np.uint8)


def _film(canvas: Canvas, rng: np.random.Generator) -> None:
    """Lens blur, haze, a film curve and grain, in bands of rows."""
    blurred = cv2.GaussianBlur(canvas.rgb, (0, 0), 0.62)
    grey = cv2.cvtColor(cv2.cvtColor(blurred, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    cv2.addWeighted(blurred, 0.80, grey, 0.20, 0, blurred)  # summer haze takes a fifth of the colour
    level = np.arange(256) / 255
    curve = 0.5 + 0.5 * np.tanh(2.1 * (level - 0.5)) / np.tanh(1.05)
    tables = []
    for channel, haze in enumerate((0.055, 0.062, 0.075)):
        tone = (0.35 * curve + 0.65 * level) ** (1.0, 0.99, 1.0)[channel]
        tables.append(np.clip(255 * (haze + (1.07 - 1.15 * haze) * tone), 0, 255).astype(np.uint8))
    table = np.stack(tables, 1)[None]  # (1, 256, 3)
    cv2.LUT(blurred, table, canvas.rgb)
    grain = (0.6 * rng.standard_normal((_PERIOD, _PERIOD))).round().astype(np.int16)
    height, width = canvas.texture.shape
    for top in range(0, height, _PERIOD):
        for left in range(0, width, _PERIOD):
            patch = canvas.rgb[top : top + _PERIOD, left : left + _PERIOD]
            patch[:] = np.clip(patch + grain[: patch.shape[0], : patch.shape[1], None], 0, 255).astype(
                np.uint8
            )
