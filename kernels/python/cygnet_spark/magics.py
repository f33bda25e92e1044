"""%%sql: runs a SQL statement and shows its rows as a table, with a small plot of columns of numbers."""
import re

from . import errors, state, table

ROWS_MAX = 1000
_NAME = re.compile(r"\{(\w+)\}")
_KEEP = re.compile(r"[A-Za-z_]\w*")


def _literal(name, value):
    """A value as SQL says it. Only of simple types: anything else could hold SQL of its own."""
    import datetime
    import decimal

    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, (int, decimal.Decimal)):
        return str(value)
    if isinstance(value, float):
        return f"DOUBLE('{value!r}')"
    if isinstance(value, str):
        return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"
    if isinstance(value, datetime.datetime):
        return f"TIMESTAMP '{value.isoformat(sep=' ')}'"
    if isinstance(value, datetime.date):
        return f"DATE '{value.isoformat()}'"
    raise errors.SparkProblem(f"{{{name}}} is of type {type(value).__name__}: %%sql takes numbers, texts, dates, True, False and"
                              " None. Give a table a name with createOrReplaceTempView() to use it here.")


def fill(statement, names):
    """The statement with the user's variables in it."""

    def one(found):
        name = found.group(1)
        if name not in names:
            raise errors.SparkProblem(f"There is no variable {name} for {{{name}}}.")
        return _literal(name, names[name])

    return _NAME.sub(one, statement)


def sql(line, cell):
    """%sql STATEMENT, or %%sql [NAME] with the statement below: NAME keeps the result as a DataFrame instead of showing it."""
    keep, statement = (line.strip(), cell) if cell is not None else ("", line)
    if keep and not _KEEP.fullmatch(keep):
        keep, statement = "", f"{keep}\n{cell}"
    statement = statement.strip().rstrip(";").strip()
    if not statement:
        raise errors.SparkProblem("%%sql needs a statement: write it below, or after %sql.")
    from . import session

    frame = session.make().sql(fill(statement, state.ip.user_ns))
    if keep:
        state.ip.user_ns[keep] = frame
        return frame
    if not frame.columns:
        return None
    rows = frame.limit(ROWS_MAX + 1).collect()
    return table.Table(frame.schema, rows[:ROWS_MAX], len(rows) > ROWS_MAX)
