"""Rows as a table and, when two or more columns are numbers, as a small plot. Pure: text and inline SVG, no library."""
import html
import numbers

CELL_MAX = 200
PLOT_POINTS = 240
_WIDTH, _HEIGHT, _EDGE = 480, 160, 8
_COLOURS = ("#1f77b4", "#d62728", "#2ca02c", "#9467bd")  # four lines are as many as one can tell apart


class Table:
    def __init__(self, schema, rows, is_cut):
        self.names = [field.name for field in schema.fields]
        self.kinds = [field.dataType.typeName() for field in schema.fields]
        self.rows, self.is_cut = [tuple(row) for row in rows], is_cut

    @property
    def note(self):
        return f"The first {len(self.rows):,} rows; there are more." if self.is_cut else f"{len(self.rows):,} " + (
            "row" if len(self.rows) == 1 else "rows")

    def __repr__(self):
        cells = [self.names] + [[_text(value) for value in row] for row in self.rows]
        widths = [max(len(row[column]) for row in cells) for column in range(len(self.names))]
        lines = ["  ".join(value.ljust(width) for value, width in zip(row, widths)).rstrip() for row in cells]
        return "\n".join([*lines, self.note])

    def _repr_html_(self):
        head = "".join(f'<th scope="col">{html.escape(name)}</th>' for name in self.names)
        body = "".join("<tr>" + "".join(f"<td>{html.escape(_text(value))}</td>" for value in row) + "</tr>" for row in self.rows)
        return (f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table><p>{html.escape(self.note)}</p>"
                + plot(self.names, self.rows))


def _text(value):
    text = "NULL" if value is None else f"{value:.6g}" if isinstance(value, float) else str(value)
    return text if len(text) <= CELL_MAX else text[:CELL_MAX - 1] + "…"


def _is_number(value):
    return isinstance(value, numbers.Number) and not isinstance(value, bool) and value == value and abs(value) != float("inf")


def _number_columns(rows):
    """Columns that hold numbers, and nothing else but NULL."""
    found = []
    for column in range(len(rows[0]) if rows else 0):
        values = [row[column] for row in rows if row[column] is not None]
        if len(values) > 1 and all(_is_number(value) for value in values):
            found.append(column)
    return found


def _thin(points):
    step = -(-len(points) // PLOT_POINTS)
    return points[::step] if step > 1 else points


def _scale(values, low_edge, high_edge):
    """A function from a value to a place between two edges."""
    low, high = min(values), max(values)
    span = (high - low) or 1.0
    return lambda value: low_edge + (value - low) / span * (high_edge - low_edge)


def plot(names, rows):
    """The first column of numbers to the right, up to four others upwards, each by its own scale; "" without two."""
    columns = _number_columns(rows)
    if len(columns) < 2:
        return ""
    across, others = columns[0], columns[1:1 + len(_COLOURS)]
    x_of = _scale([float(row[across]) for row in rows if row[across] is not None], _EDGE, _WIDTH - _EDGE)
    lines, legend = [], []
    for colour, column in zip(_COLOURS, others):
        points = sorted((float(row[across]), float(row[column])) for row in rows if row[across] is not None and row[column] is not None)
        if not points:
            continue
        y_of = _scale([y for _, y in points], _HEIGHT - _EDGE, _EDGE)
        path = " ".join(f"{x_of(x):.1f},{y_of(y):.1f}" for x, y in _thin(points))
        lines.append(f'<polyline fill="none" stroke="{colour}" stroke-width="1.5" points="{path}"/>')
        low, high = min(y for _, y in points), max(y for _, y in points)
        legend.append(f'<span style="color:{colour}">&#9632;</span> {html.escape(names[column])} ({low:.6g} to {high:.6g})')
    label = html.escape(f"{', '.join(names[column] for column in others)} over {names[across]}", quote=True)
    return (f'<figure style="margin:0"><svg role="img" aria-label="{label}" viewBox="0 0 {_WIDTH} {_HEIGHT}" width="{_WIDTH}"'
            f' style="max-width:100%;border:1px solid currentColor;opacity:.9">{"".join(lines)}</svg>'
            f'<figcaption>over {html.escape(names[across])}: {" &middot; ".join(legend)}</figcaption></figure>')
