"""The Spark session of this kernel: asked for, kept, lost, ended. How its driver is talked to: gateway.py and remote.py."""
import os
import site
import sys
import threading
import time

from . import agent, causes, conf, errors, hooks, lazy, printed, progress, state

_lock = threading.RLock()
_current = None
_loss = None  # what became of the last one, until somebody was told
WATCH_S = 35.0  # the agent answers a long poll after 30


class Session:
    """One driver, as this kernel sees it."""

    def __init__(self, ready, line):
        self.id, self.flavour = ready["id"], ready["flavour"]
        self.gateway, self.remote, self.token = ready["gateway"], ready["remote"], ready["token"]
        self.session_id, self.stdout, self.is_adopted = ready["session_id"], ready["stdout"], ready["adopted"]
        self.fixed = [] if self.is_adopted else ready.get("ignored") or []
        self.label = ready.get("label") or ready.get("cluster")
        self.log = ready.get("log") or agent.RUN / "log" / f"spark-driver-{self.id}.log"
        self.line = line  # of progress, while it starts
        self.ended = None  # why it cannot be used any more: an exception of ours
        self.on_end = []  # callbacks: who talks to the driver stops it
        self.context_start = None  # of gateway.py: a context that is being made

    def check(self):
        if self.ended is not None:
            raise type(self.ended)(*self.ended.args)


def kernel_id():
    """As the agent knows it: this kernel's connection file is kernel-ID.json."""
    from ipykernel.connect import get_connection_file

    return os.path.basename(get_connection_file()).removeprefix("kernel-").removesuffix(".json")


def python_path():
    """What user code imports from beside the stack: the setup script's PYTHONPATH and packages in the home folder."""
    own = os.fspath(agent.RUN / "runtime/spark/python")
    paths = [path for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path and path != own]
    user = site.getusersitepackages() if site.ENABLE_USER_SITE else None
    return paths + [user] if user and os.path.isdir(user) else paths


def current():
    """The session that is there, or None. Starts nothing."""
    return _current


def make():
    """SparkSession for the name `spark`: the running one, or a new one with what swan_spark_conf says."""
    from pyspark.sql import SparkSession

    return SparkSession.builder.getOrCreate()


def ensure(options=None):
    """The session, started first if there is none. options: what user code wants of it."""
    global _current, _loss
    with _lock:
        if _current is not None and _current.ended is None:
            return _current
        if _loss is not None:
            state.say(f"{_loss} A new session starts.")
            _loss = None
        _current = _start({**conf.chosen(), **(options or {})})
        threading.Thread(target=_watch, args=(_current,), daemon=True, name="cygnet-spark-watch").start()
        printed.follow(_current)
        return _current


def _start(options):
    flavour = options.pop("spark.api.mode", None)
    body = {"kernel": kernel_id(), "cwd": os.getcwd(), "options": options, "pythonpath": python_path()}
    if flavour:
        body["flavour"] = flavour
    line = progress.Line()
    start = agent.Start(body)
    try:
        ready = _wait(start, line)
    except agent.AgentGone as error:
        line.end("Spark did not start")
        raise errors.SparkRefused(f"Spark could not start: the notebook server cannot be asked for it ({error}).") from None
    except KeyboardInterrupt:
        start.give_up()
        line.end("Spark goes on starting; nobody waits for it now. The next use of spark waits again")
        raise errors.SparkInterrupted("You stopped waiting for Spark.") from None
    if ready.get("ignored"):
        state.say((conf.cannot_apply if ready["adopted"] else conf.fixed)(ready["ignored"]))
    return Session(ready, line)


def _wait(start, line):
    while True:
        step = start.next(1.0)
        if step is None:
            line.tick()
        elif "ready" in step:
            return step["ready"]
        elif "failed" in step:
            failed = step["failed"]
            line.end("Spark did not start")
            words = causes.explain(failed["cause"]) or failed["cause"]
            errors.keep_details(failed["cause"], failed.get("log"))
            hint = f"\n{failed['hint']}" if failed.get("hint") else ""
            log = f"\nThe driver's log is {failed['log']}." if failed.get("log") else ""
            raise errors.SparkRefused(f"Spark could not start: {words}{hint}{log}")
        else:
            line.step(step["text"])


# ---- the end ----
def _watch(session):
    """Learns of a lost driver, and of what becomes of its cluster, while nobody uses it or a cell waits in it."""
    news = 0
    while session.ended is None:
        try:
            status, said = agent.ask("GET", f"/sessions/{session.id}?not=ready&news={news}", timeout=WATCH_S)
        except agent.AgentGone:
            time.sleep(1.0)  # the agent is being started again
            continue
        if status == 404:
            lose(session, None)
        elif status == 200 and said["state"] != "ready":
            lose(session, said.get("cause"))
        elif status == 200:
            news = said.get("n_news", news)
            for sentence in said.get("news", ()):
                state.say(sentence)


def find_cause(session, seconds):
    """After a broken connection: why the driver is lost; "" when nobody knows; None when it is not lost."""
    end = time.monotonic() + seconds
    while session.ended is None and time.monotonic() < end:
        try:
            status, said = agent.ask("GET", f"/sessions/{session.id}?not=ready", timeout=max(end - time.monotonic(), 0.1))
        except agent.AgentGone:
            time.sleep(0.2)
            continue
        if status == 404 or said["state"] != "ready":
            return (said or {}).get("cause") or ""
    return None


def lose(session, cause):
    """Its driver is gone. Whoever waits in it gets the cause; the names start a new one at their next use."""
    global _loss
    with _lock:
        if session.ended is not None:
            return
        sentence = f"Spark's driver is lost: {cause}" if cause else "Spark's driver is lost: nobody knows why."
        sentence += "" if sentence.endswith((".", "!")) else "."
        _loss = sentence
        _close(session, errors.SparkLost(sentence))


def was_told(session):
    """A cell has shown why the session ended."""
    global _loss
    if session is _current or _current is None:
        _loss = None


def finish(session):
    """The user has stopped it: the driver ends, and the next use starts a new one."""
    with _lock:
        if session.ended is not None:
            return
        _close(session, errors.SparkStopped(
            "This belongs to a Spark session that was stopped with stop(). Make it again: `spark` starts a new session when it"
            " is next used."))
    try:
        agent.ask("DELETE", f"/sessions/{session.id}")
    except agent.AgentGone:
        pass  # its idle time ends it


def _close(session, why):
    global _current
    session.ended = why
    if _current is session:
        _current = None
    session.line.end(None)
    for callback in session.on_end:
        callback()
    _forget()
    lazy.put_back()


class _Gone:
    """In place of what a SparkContext holds in the JVM: says what happened instead of an AttributeError of None."""

    def __init__(self, why):
        self._why = why

    def __bool__(self):
        return False

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        raise type(self._why)(*self._why.args)


def _forget():
    """PySpark's own memory of the session, so that its next one starts from nothing."""
    context = hooks.context_class()
    if context is not None:
        active = context._active_spark_context
        context._gateway = context._jvm = context._active_spark_context = None
        if active is not None:
            _stop_accumulators(active)
    cls = hooks.session_class()
    for name in ("_instantiatedSession", "_activeSession"):
        if getattr(cls, name, None) is not None:
            setattr(cls, name, None)
    sql_context = getattr(sys.modules.get("pyspark.sql.context"), "SQLContext", None)
    if sql_context is not None:
        sql_context._instantiatedContext = None


def bury(context, why):
    context._jsc = _Gone(why)


def _stop_accumulators(context):
    server, context._accumulatorServer = getattr(context, "_accumulatorServer", None), None
    if server is not None:  # it looks for its end twice a second
        threading.Thread(target=server.shutdown, daemon=True, name="cygnet-spark-stop").start()
