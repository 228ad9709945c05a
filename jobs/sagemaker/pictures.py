"""Charts as hand-written SVG: the container needs no plotting library, and a browser shows them directly."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from math import ceil, floor, log10
from typing import Mapping, Sequence

import numpy as np

from metrics import Values, auc, calibration, roc

WIDTH, HEIGHT = 640, 460
LEFT, RIGHT, TOP, BOTTOM = 72, 24, 64, 56
BLUE, ORANGE, INK, FAINT, GRID = "#2563eb", "#ea580c", "#1f2937", "#6b7280", "#e5e7eb"
FONT = "font-family='system-ui, -apple-system, Segoe UI, Helvetica, Arial, sans-serif'"
MOST_FEATURES = 20
SCORE_BINS = 40


@dataclass(frozen=True)
class Axis:
    low: float
    high: float
    label: str
    # First and last pixel; a vertical axis runs downwards.
    start: float
    end: float

    def at(self, value: float) -> float:
        return self.start + (value - self.low) / (self.high - self.low) * (self.end - self.start)

    def ticks(self, about: int = 5) -> list[float]:
        """Round numbers: steps of 1, 2 or 5 times a power of ten."""
        rough = (self.high - self.low) / about
        power = 10 ** floor(log10(rough))
        step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough)
        return [step * index for index in range(ceil(self.low / step - 1e-9), floor(self.high / step + 1e-9) + 1)]


def roc_picture(labels: Values, scores: Values, title: str) -> str:
    false_rates, true_rates = roc(labels, scores)
    x, y = horizontal(0, 1, "False positive rate"), vertical(0, 1, "True positive rate")
    points = [(x.at(a), y.at(b)) for a, b in thinned(np.column_stack([false_rates, true_rates]))]
    area = polygon([(x.at(0), y.at(0)), *points, (x.at(1), y.at(0))], BLUE, 0.12)
    chance = line(x.at(0), y.at(0), x.at(1), y.at(1), FAINT, "stroke-dasharray='5 5'")
    note = text(x.at(0.97), y.at(0.06), f"AUC {auc(labels, scores):.4f}", 18, "end", BLUE, bold=True)
    subtitle = f"{len(labels):,} rows that training never saw, {int(labels.sum()):,} positive"
    return page(title, subtitle, [frame(x, y), area, chance, polyline(points, BLUE, 2.5), note])


def calibration_picture(labels: Values, predictions: Values, title: str) -> str:
    groups = calibration(labels, predictions)
    values = [value for predicted, observed, _ in groups for value in (predicted, observed)]
    low, high = (0.0, nice(max(values))) if min(values) >= 0 else (min(values), max(values))
    x, y = horizontal(low, high, "Mean predicted"), vertical(low, high, "Mean observed")
    points = [(x.at(predicted), y.at(observed)) for predicted, observed, _ in groups]
    ideal = line(x.at(low), y.at(low), x.at(high), y.at(high), FAINT, "stroke-dasharray='5 5'")
    dots = [
        f"<circle cx='{px:.1f}' cy='{py:.1f}' r='5' fill='{BLUE}' stroke='white' stroke-width='1.5'>"
        f"<title>predicted {predicted:.4g}, observed {observed:.4g}, {rows:,} rows</title></circle>"
        for (px, py), (predicted, observed, rows) in zip(points, groups)
    ]
    subtitle = f"{len(groups)} groups of about {len(labels) // max(1, len(groups)):,} rows by prediction; the dashed line is perfect calibration"
    return page(title, subtitle, [frame(x, y), ideal, polyline(points, BLUE, 2), *dots])


def importance_picture(importance: Mapping[str, float], title: str) -> str:
    ranked = sorted(importance.items(), key=lambda item: (-item[1], item[0]))
    shown = ranked[:MOST_FEATURES]
    total = sum(importance.values()) or 1.0
    left, row = 210, 22
    height = TOP + row * max(1, len(shown)) + BOTTOM
    x = Axis(0, nice(max((gain / total for _, gain in shown), default=1.0)), "Share of the total gain", left, WIDTH - RIGHT)
    bottom = height - BOTTOM
    parts = [
        line(x.at(tick), TOP, x.at(tick), bottom, GRID)
        + text(x.at(tick), bottom + 18, f"{tick:.0%}" if x.high > 0.05 else f"{tick:.1%}", 12, "middle", FAINT)
        for tick in x.ticks()
    ]
    for place, (name, gain) in enumerate(shown):
        middle = TOP + row * (place + 0.5)
        width = max(1.0, x.at(gain / total) - left)
        parts.append(
            f"<rect x='{left}' y='{middle - 7:.1f}' width='{width:.1f}' height='14' rx='2' fill='{BLUE}'>"
            f"<title>{escape(name)}: gain {gain:.4g}</title></rect>"
        )
        parts.append(text(left - 8, middle + 4, shortened(name), 12, "end", INK))
    parts.append(text((left + WIDTH - RIGHT) / 2, height - 12, x.label, 13, "middle", INK))
    subtitle = f"{len(shown)} of {len(ranked)} features that the trees split on" if ranked else "no tree splits on anything"
    return page(title, subtitle, parts, height)


def scores_picture(labels: Values, predictions: Values, title: str, is_binary: bool, low: float, high: float) -> str:
    """Shares of the rows by score; for a classifier each class separately, since the rare one would otherwise be invisible."""
    edges = np.linspace(low, high, SCORE_BINS + 1)
    series = (
        [("negative", labels != 1, BLUE), ("positive", labels == 1, ORANGE)]
        if is_binary
        else [("predicted", np.ones(len(labels), bool), BLUE)]
    )
    shares = [
        (name, np.histogram(predictions[chosen], edges)[0] / max(1, int(chosen.sum())), int(chosen.sum()), colour)
        for name, chosen, colour in series
    ]
    if not is_binary:
        shares.append(("observed", np.histogram(labels, edges)[0] / max(1, len(labels)), len(labels), ORANGE))
    x, y = horizontal(low, high, "Score"), vertical(0, nice(max(float(share.max()) for _, share, _, _ in shares)), "Share of rows")
    parts = [frame(x, y, percent=True)]
    for place, (name, share, rows, colour) in enumerate(shares):
        steps = [(x.at(edge), y.at(value)) for at, value in enumerate(share) for edge in (edges[at], edges[at + 1])]
        parts.append(polygon([(x.at(low), y.at(0)), *steps, (x.at(high), y.at(0))], colour, 0.18))
        parts.append(polyline(steps, colour, 1.8))
        parts.append(f"<rect x='{WIDTH - RIGHT - 170}' y='{TOP + 8 + 20 * place}' width='12' height='12' rx='2' fill='{colour}'/>")
        parts.append(text(WIDTH - RIGHT - 152, TOP + 18 + 20 * place, f"{name} ({rows:,})", 12, "start", INK))
    return page(title, f"{len(labels):,} rows that training never saw", parts)


def horizontal(low: float, high: float, label: str) -> Axis:
    return Axis(low, high if high > low else low + 1, label, LEFT, WIDTH - RIGHT)


def vertical(low: float, high: float, label: str) -> Axis:
    return Axis(low, high if high > low else low + 1, label, HEIGHT - BOTTOM, TOP)


def nice(value: float) -> float:
    """The next larger round number, for the end of an axis."""
    if value <= 0:
        return 1.0
    power = 10.0 ** floor(log10(value))
    return next(factor * power for factor in (1, 1.5, 2, 3, 4, 5, 6, 8, 10) if factor * power >= value * (1 - 1e-9))


def frame(x: Axis, y: Axis, percent: bool = False) -> str:
    """Grid, ticks, axis lines and labels."""
    parts: list[str] = []
    for tick in x.ticks():
        parts.append(line(x.at(tick), y.start, x.at(tick), y.end, GRID))
        parts.append(text(x.at(tick), y.start + 18, f"{tick:.6g}", 12, "middle", FAINT))
    for tick in y.ticks():
        parts.append(line(x.start, y.at(tick), x.end, y.at(tick), GRID))
        parts.append(text(x.start - 8, y.at(tick) + 4, f"{tick * 100:.3g} %" if percent else f"{tick:.6g}", 12, "end", FAINT))
    parts.append(line(x.start, y.start, x.end, y.start, FAINT))
    parts.append(line(x.start, y.start, x.start, y.end, FAINT))
    parts.append(text((x.start + x.end) / 2, HEIGHT - 14, x.label, 13, "middle", INK))
    middle = (y.start + y.end) / 2
    parts.append(f"<g transform='rotate(-90 18 {middle:.0f})'>{text(18, middle, y.label, 13, 'middle', INK)}</g>")
    return "".join(parts)


def page(title: str, subtitle: str, parts: Sequence[str], height: int = HEIGHT) -> str:
    head = text(24, 30, title, 18, "start", INK, bold=True) + text(24, 50, subtitle, 12, "start", FAINT)
    return (
        f"<svg xmlns='http://www.w3.org/2000/svg' width='{WIDTH}' height='{height}' viewBox='0 0 {WIDTH} {height}' role='img' "
        f"aria-label='{escape(title, quote=True)}' {FONT}><rect width='100%' height='100%' fill='white'/>{head}{''.join(parts)}</svg>\n"
    )


def text(x: float, y: float, content: str, size: int, anchor: str, colour: str, bold: bool = False) -> str:
    weight = " font-weight='600'" if bold else ""
    return f"<text x='{x:.1f}' y='{y:.1f}' font-size='{size}' text-anchor='{anchor}' fill='{colour}'{weight}>{escape(content)}</text>"


def line(x1: float, y1: float, x2: float, y2: float, colour: str, more: str = "") -> str:
    return f"<line x1='{x1:.1f}' y1='{y1:.1f}' x2='{x2:.1f}' y2='{y2:.1f}' stroke='{colour}' {more}/>"


def polyline(points: Sequence[tuple[float, float]], colour: str, width: float) -> str:
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return f"<polyline points='{path}' fill='none' stroke='{colour}' stroke-width='{width}' stroke-linejoin='round'/>"


def polygon(points: Sequence[tuple[float, float]], colour: str, opacity: float) -> str:
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return f"<polygon points='{path}' fill='{colour}' fill-opacity='{opacity}'/>"


def thinned(points: Values, most: int = 500) -> list[tuple[float, float]]:
    """At most as many points as the picture can show; both ends stay."""
    chosen = np.unique(np.linspace(0, len(points) - 1, min(most, len(points))).astype(int))
    return [(float(x), float(y)) for x, y in points[chosen]]


def shortened(name: str, most: int = 28) -> str:
    return name if len(name) <= most else f"{name[: most - 1]}…"
