"""SparkContext in a driver that the agent holds: adopted if the driver has one, made otherwise."""
import functools
import signal
import sys
import threading

from . import causes, errors, gateway, session as sessions, state

WAIT_S = 0.5


class _Making:
    """A context that is being made, in a thread: who gives up waiting leaves it to the next use."""

    def __init__(self, work):
        self._done = threading.Event()
        self.value = self.error = None
        threading.Thread(target=self._run, args=(work,), daemon=True, name="cygnet-spark-context").start()

    def _run(self, work):
        try:
            self.value = work()
        except BaseException as error:
            self.error = error
        self._done.set()

    def wait(self, seconds):
        return self._done.wait(seconds)


def _find_active(context):
    """The driver's own JavaSparkContext, or None."""
    found = getattr(getattr(context._jvm, "org.apache.spark.SparkContext$"), "MODULE$").getActive()
    return context._jvm.JavaSparkContext.fromSparkContext(found.get()) if found.isDefined() else None


def _make(context, jconf, initialize):
    session = sessions.current()
    found = _find_active(context)
    if found is not None and session.context_start is None:
        session.line.end(None)
        if session.is_adopted:
            state.say("Attached again to the Spark session of this notebook: its views and cached data are there.")
        return found
    if session.context_start is None:
        session.line.step("Making the Spark context")
        session.context_start = _Making(lambda: initialize(context, jconf))
    made = _wait(session, session.context_start)
    session.context_start = None
    return made


def _wait(session, making):
    """Watches the driver's log meanwhile: a driver that a cluster refuses tries on for a minute."""
    log = causes.Log(session.log)
    try:
        while not making.wait(WAIT_S):
            session.line.tick()
            _check_refused(session, log)
    except KeyboardInterrupt:
        session.line.end("Spark goes on starting; nobody waits for it now. The next use of spark waits again")
        raise errors.SparkInterrupted("You stopped waiting for Spark.") from None
    if making.error is not None:
        session.context_start = None
        _check_refused(session, log)
        _refuse(session, making.error)
    return making.value


def _check_refused(session, log):
    found = log.find_refusal()
    if found is not None:
        meaning, line = found
        sessions.finish(session)
        raise errors.SparkRefused(f"Spark could not start: {meaning}.\nThe driver said: {line}")


def _refuse(session, error):
    if isinstance(error, errors.SparkLost):
        sessions.was_told(session)
        raise errors.SparkRefused(f"Spark could not start. {error}") from None
    text = errors.java_text(error)
    found = causes.find_refusal(text)
    words = f"{found[0]}." if found else causes.explain(text) or causes.first_line(text)
    errors.keep_details(text, session.log)
    sessions.finish(session)
    raise errors.SparkRefused(f"Spark could not start: {words}") from None


def wrap_context(module):
    cls = module.SparkContext
    if "_cygnet" in cls.__dict__:
        return
    cls._cygnet = True
    initialize, do_init, stop = cls._initialize_context, cls._do_init, cls.stop

    @functools.wraps(initialize)
    def _initialize_context(self, jconf):
        made = _make(self, jconf, initialize)
        gateway.client().context = made._target_id
        return made

    @functools.wraps(do_init)
    def _do_init(self, *args, **kwargs):
        is_main = threading.current_thread() is threading.main_thread()
        before = signal.getsignal(signal.SIGINT) if is_main else None
        try:
            do_init(self, *args, **kwargs)
        finally:
            if is_main:  # PySpark's own handler would cancel every job, on a connection that waits for an answer
                signal.signal(signal.SIGINT, before)
        session = sessions.current()
        _check_registered(self, session)
        session.line.end(session.line.ready(self.version, session.label))

    @functools.wraps(stop)
    def _stop(self):
        session = sessions.current()
        had = bool(getattr(self, "_jsc", None)) and self is cls._active_spark_context
        try:
            stop(self)
        except errors.SparkProblem:
            pass  # it is gone already
        if had and session is not None and not _session_stops.is_set():
            sessions.finish(session)
        if had and session is not None and session.ended is not None:
            sessions.bury(self, session.ended)

    cls._initialize_context, cls._do_init, cls.stop = _initialize_context, _do_init, _stop


def wrap_accumulators(module):
    """A driver that ends breaks a connection here: no news that needs a traceback."""
    for cls in (getattr(module, name, None) for name in ("AccumulatorTCPServer", "AccumulatorUnixServer", "AccumulatorServer")):
        if cls is not None:
            _quieten(cls)


def _quieten(cls):
    handle_error = cls.handle_error

    def quiet(self, request, address):
        if not isinstance(sys.exc_info()[1], (EOFError, ConnectionError)):
            handle_error(self, request, address)

    cls.handle_error = quiet


_session_stops = threading.Event()  # SparkSession.stop() ends the driver itself, after its last words to it


def _check_registered(context, session):
    """Refuses a driver that no master has registered: it ends a moment after its start seemed to succeed, and until
    then its application id is one that it made up (TaskScheduler.applicationId)."""
    if context.master.startswith("spark://") and context.applicationId.startswith("spark-application-"):
        _refuse(session, RuntimeError("All masters are unresponsive! Giving up."))
