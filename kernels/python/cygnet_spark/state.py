"""What all of the module shares: the shell, and which cell runs in which thread. Imports nothing that costs."""
import threading

ip = None  # IPython's shell
_cells = {}  # of each thread that runs cells


class Cell:
    """One run of a cell. Its driver is told of it with its first Spark command and never before."""

    def __init__(self, cell_id, msg_id, count):
        self.id, self.msg, self.count = cell_id, msg_id, count
        self.is_told = False  # the agent knows of it
        self.is_interrupted = False

    def tags(self, kernel_id):
        """A comma would end a tag."""
        named = (("kernel", kernel_id), ("cell", self.id), ("msg", self.msg))
        return [f"cyg-{name}-{value}".replace(",", "_") for name, value in named if value]

    @property
    def own_tag(self):
        """Of the jobs of this run alone: an earlier run of the same cell may have threads that still work."""
        return f"cyg-msg-{self.msg}".replace(",", "_")


def on_cell(info=None):
    """Before each cell. Touches no driver: one that hangs must not hang cells without Spark."""
    try:
        parent = ip.kernel.get_parent("shell")
    except Exception:  # no kernel: a plain IPython
        parent = {}
    cell = Cell(parent.get("metadata", {}).get("cellId"), parent.get("header", {}).get("msg_id"), ip.execution_count)
    _cells[threading.get_ident()] = cell


def current_cell():
    """The cell that this thread runs, or ran last; None in threads that cells started."""
    return _cells.get(threading.get_ident())


def put(name, value):
    """Gives the user's namespace a name that %who does not list."""
    ip.user_ns[name] = value
    ip.user_ns_hidden[name] = value


def say(text):
    """One line for the user, below the cell."""
    import sys

    print(text, file=sys.stderr, flush=True)


def add_magics(shell):
    """The magics are known from the start, and imported when one is used."""

    def sql(line, cell=None):
        """%%sql shows the result of a SQL statement as a table; %sql NAME in the first line keeps it as a DataFrame."""
        from . import magics

        return magics.sql(line, cell)

    def spark_details(line):
        """Shows Java's own words on the last Spark error of this notebook."""
        from . import errors

        errors.show_details()

    shell.register_magic_function(sql, magic_kind="line_cell", magic_name="sql")
    shell.register_magic_function(spark_details, magic_kind="line", magic_name="spark_details")

    def sql_matcher(context):
        if not context.full_text.lstrip().startswith(("%%sql", "%sql")) and not context.line_with_cursor.lstrip().startswith("%sql"):
            return {"completions": []}
        from . import completion

        return completion.match(context)

    from IPython.core.completer import context_matcher

    shell.Completer.custom_matchers.append(context_matcher(identifier="cygnet_sql")(sql_matcher))
