"""Spark Connect: a server that the agent holds. The session's id is the agent's, so a restarted kernel finds its views."""
import functools
import os

from . import cells, errors, session as sessions, state

CAUSE_S = 5.0
LOOK_S = 0.5
_MODE = "SPARK_CONNECT_MODE_ENABLED"  # by this PySpark's functions know that they are remote


def get_or_create(session, options):
    from pyspark.sql.connect.client import DefaultChannelBuilder
    from pyspark.sql.connect.session import SparkSession

    os.environ[_MODE] = "1"
    running = SparkSession._get_default_session()
    if running is not None and not running.is_stopped:
        return running
    with open(session.token) as file:
        token = file.read().strip()
    channel = DefaultChannelBuilder(session.remote)  # sc://localhost:PORT: by another name the client wants TLS
    channel.set(channel.PARAM_TOKEN, token)
    channel.set(channel.PARAM_SESSION_ID, session.session_id)
    builder = SparkSession.Builder().channelBuilder(channel)
    session.line.step("Connecting")
    made = builder.getOrCreate()
    made.release_session_on_close = False  # the agent ends it
    made.client._cygnet_session = session
    for policy in getattr(made.client, "_retry_policies", ()):
        _stop_retries(policy, session)
    session.on_end.append(lambda: _forget(made))
    session.line.end(session.line.ready(made.version, session.label))
    if session.is_adopted:
        state.say("Attached again to the Spark session of this notebook: its views and cached data are there.")
    return made


def _stop_retries(policy, session):
    """The client tries for ten minutes; a server that is known to be gone is not tried again."""
    can_retry = policy.can_retry

    def can_retry_now(error):
        if session.ended is None and _is_network(error):
            _look(session, LOOK_S)
        return session.ended is None and can_retry(error)

    policy.can_retry = can_retry_now


def _look(session, seconds):
    cause = sessions.find_cause(session, seconds)
    if cause is not None:
        sessions.lose(session, cause)


def _forget(made):
    cls = type(made)
    os.environ.pop(_MODE, None)
    if cls._default_session is made:
        cls._default_session = None
    if getattr(cls._active_session, "session", None) is made:
        cls._active_session.session = None


def cancel(tag):
    from pyspark.sql.connect.session import SparkSession

    running = SparkSession._get_default_session()
    if running is not None:
        running.client.interrupt_tag(tag)


def _before(client):
    """Before each request: tags cost nothing here, so they are always those of the thread's cell."""
    session = getattr(client, "_cygnet_session", None)
    if session is None:
        return
    if session.ended is not None:
        sessions.was_told(session)
        session.check()
    cell = state.current_cell()
    if cell is not None:
        held = getattr(client.thread_local, "tags", set())
        client.thread_local.tags = {tag for tag in held if not tag.startswith("cyg-")} | set(cell.tags(sessions.kernel_id()))
        cells.tell(session, cell)


def wrap_client(module):
    cls = module.SparkConnectClient
    for name in ("_execute_plan_request_with_metadata", "_analyze_plan_request_with_metadata", "_config_request_with_metadata"):
        if hasattr(cls, name):
            setattr(cls, name, _watched(getattr(cls, name)))
    handle = cls._handle_error

    @functools.wraps(handle)
    def _handle_error(self, error):
        session = getattr(self, "_cygnet_session", None)
        if session is not None and _is_network(error):
            _look(session, CAUSE_S)
            if session.ended is not None:
                sessions.was_told(session)
                raise type(session.ended)(*session.ended.args) from None
        return handle(self, error)

    cls._handle_error = _handle_error


def _watched(function):
    @functools.wraps(function)
    def wrapped(self, *args, **kwargs):
        _before(self)
        return function(self, *args, **kwargs)

    return wrapped


def _is_network(error):
    code = getattr(error, "code", None)
    return callable(code) and getattr(code(), "name", "") in ("UNAVAILABLE", "UNKNOWN")


def wrap_session(module):
    cls = module.SparkSession
    stop = cls.stop

    @functools.wraps(stop)
    def _stop(self):
        session = getattr(self.client, "_cygnet_session", None)
        stop(self)
        if session is not None:
            sessions.finish(session)

    cls.stop = _stop
