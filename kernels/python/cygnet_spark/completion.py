"""Names of tables and columns after %sql, from the session that is there. A session is never started for it."""
import re
import threading

from . import hooks, session

_WORD = re.compile(r"[\w.`]*$")
_FROM = re.compile(r"(?i)\b(?:from|join|table|into|update|describe|desc)\s+([\w.`]+)")
_WANTS_TABLE = re.compile(r"(?i)\b(?:from|join|table|into|update|describe|desc)\s+[\w.`]*$")
TABLES_MAX = 500
WAIT_S = 1.0  # a driver that is busy must not hold the keyboard


def match(context):
    """What IPython's matchers return: tables after FROM and the like, else columns of the statement's tables, and tables."""
    from IPython.core.completer import SimpleCompletion

    statement = context.full_text
    before = _before_cursor(context)
    word = _WORD.search(before).group(0)
    spark = _running()
    if spark is None or not (before.strip().startswith("%") or "\n" in statement):
        return {"completions": []}
    wants_table = _WANTS_TABLE.search(before) is not None
    found = _within(WAIT_S, lambda: _tables(spark) if wants_table else _columns(spark, statement) + _tables(spark))
    fitting = [SimpleCompletion(text=name, type="sql") for name in found if name.lower().startswith(word.lower())]
    return {"completions": fitting, "matched_fragment": word, "suppress": bool(fitting)}


def _before_cursor(context):
    lines = context.full_text.split("\n")[:context.cursor_line + 1]
    lines[-1] = context.line_with_cursor[:context.cursor_position]
    return "\n".join(lines)


def _running():
    if session.current() is None or session.current().ended is not None:
        return None
    if session.current().flavour == "connect":
        return hooks.loaded("pyspark.sql.connect.session").SparkSession._get_default_session()
    return getattr(hooks.session_class(), "_instantiatedSession", None)


def _within(seconds, work):
    """What work gives, or [] when it takes longer or fails. A thread of its own: a command in the kernel's would count as a
    cell's."""
    found = []

    def run():
        try:
            found.extend(work())
        except Exception:
            pass  # nothing to offer

    thread = threading.Thread(target=run, daemon=True, name="cygnet-spark-complete")
    thread.start()
    thread.join(seconds)
    return list(found)


def _tables(spark):
    return sorted(one.name for one in spark.catalog.listTables()[:TABLES_MAX])


def _columns(spark, text):
    names = set()
    for table in _FROM.findall(text):
        names.update(one.name for one in spark.catalog.listColumns(table.replace("`", "")))
    return sorted(names)
