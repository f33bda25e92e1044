"""The first Spark command of a cell: its tags go before it, the agent is told, and an interrupt cancels its jobs."""
import signal
import threading
import time

from . import agent, errors, hooks, session as sessions, state

_PROPERTY = "spark.job.tags"  # where Spark keeps a thread's tags, with commas between them
_PREFIX = "cyg-"
CANCEL_S = 10.0  # how long jobs that an interrupted cell goes on to start are cancelled
AGAIN_S = 0.3


def before_command(client, connection):
    """Before each command: does nothing but for the first of a cell in the thread that runs it."""
    cell = state.current_cell()
    if cell is None or client.context is None or getattr(connection, "cygnet_cell", None) is cell:
        return
    connection.cygnet_cell = cell
    tell(client.session, cell)  # first: a driver that hangs may be interrupted while it is sent the tags
    _send_tags(client, connection, cell)


def _send_tags(client, connection, cell):
    """Tags that users set themselves stay."""
    held = client.call(connection, client.context, "getLocalProperty", _PROPERTY) or ""
    theirs = [tag for tag in held.split(",") if tag and not tag.startswith(_PREFIX)]
    client.call(connection, client.context, "setLocalProperty", _PROPERTY, ",".join(theirs + cell.tags(sessions.kernel_id())))


def tell(session, cell):
    """The agent watches the driver for this cell, and an interrupt reaches it."""
    if cell.is_told:
        return
    cell.is_told = True
    agent.send_later("POST", f"/sessions/{session.id}/cells", {"cell": cell.id, "msg": cell.msg, "execution_count": cell.count})
    if threading.current_thread() is threading.main_thread():
        _catch_interrupt(session, cell)


def _catch_interrupt(session, cell):
    """Until the cell's end, when ipykernel puts its own handler back."""
    before = signal.getsignal(signal.SIGINT)

    def on_interrupt(number, frame):
        if not cell.is_interrupted:
            cell.is_interrupted = True
            threading.Thread(target=_cancel, args=(session, cell), daemon=True, name="cygnet-spark-cancel").start()
        if callable(before) and before is not signal.default_int_handler:
            before(number, frame)
        raise errors.SparkInterrupted("You interrupted this cell; its Spark jobs are cancelled.")

    signal.signal(signal.SIGINT, on_interrupt)


def _cancel(session, cell):
    """Again and again for a while: a job may be about to be submitted."""
    end = time.monotonic() + CANCEL_S
    while session.ended is None and time.monotonic() < end:
        try:
            cancel_jobs(cell.own_tag)
        except Exception:
            return  # the driver has gone
        time.sleep(AGAIN_S)


def cancel_jobs(tag):
    context = hooks.context_class()
    active = context._active_spark_context if context is not None else None
    if active is not None:
        active._jsc.cancelJobsWithTag(tag)
    else:
        from . import remote

        remote.cancel(tag)
