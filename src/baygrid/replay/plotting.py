"""The plot of a replay as a picture (needs the extra `replay`)."""

from __future__ import annotations

from pathlib import Path

from baygrid.replay.outcome import Plot


def draw(plot: Plot, where: Path) -> None:
    """Writes the picture in the format of the file's ending (png, svg, pdf). ModuleNotFoundError: there is
    no matplotlib; OSError: the file cannot be written; ValueError: the ending is of no picture."""
    from matplotlib.figure import Figure  # with no window and no state of pyplot

    figure = Figure(figsize=(8, 5), layout="constrained")
    axes = figure.subplots()
    for line in plot.lines:
        axes.plot(line.xs, line.ys, label=line.label)
    axes.set(title=plot.title, xlabel=plot.x, ylabel=plot.y)
    if plot.log_x:
        axes.set_xscale("symlog", linthresh=1)
        axes.set_xlim(left=0)
    axes.grid(alpha=0.3)
    if len(plot.lines) > 1:
        axes.legend()
    figure.savefig(where, dpi=150)
