"""Cygnet's IPython extension: spark, sc and swan_spark_conf without a line of configuration.

Nothing starts before it is used: the names are placeholders that get a session at first touch. The session belongs to the
agent, which keeps its driver; this module asks for it and attaches. Sessions that users make themselves go the same way,
because PySpark's own functions are wrapped when they are imported (hooks.py). What is not needed to wait for a first use is
imported then, so that a kernel without Spark pays nothing.

From here: lazy.py (the names), session.py (the session of this kernel), agent.py (asking the agent), gateway.py (the classic
flavour), remote.py (Spark Connect), cells.py (tags, interrupts), errors.py and causes.py (what users read), conf.py,
progress.py, printed.py, magics.py (%%sql).
"""


def load_ipython_extension(ip):
    from . import hooks, lazy, state

    state.ip = ip
    hooks.install()
    lazy.put_names(ip)
    ip.events.register("pre_run_cell", state.on_cell)
    state.add_magics(ip)


def unload_ipython_extension(ip):
    from . import lazy, state

    ip.events.unregister("pre_run_cell", state.on_cell)
    lazy.take_names(ip)
