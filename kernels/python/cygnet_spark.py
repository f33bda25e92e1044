"""Cygnet's IPython extension: spark, sc and swan_spark_conf without a line of configuration.

Nothing starts before it is used: the names are placeholders that make a session at first touch. Sessions that
people make themselves get the same configuration (it comes from SPARK_CONF_DIR) and the same tags, so that every
job says which cell started it. A driver that the cluster refuses fails at once with the cause, instead of after
Spark's own misleading time-out.
"""
import importlib.abc
import importlib.machinery
import os
import re
import sys
import threading

_NAMES = ("spark", "sc", "swan_spark_conf")
_TAG = "cyg-"
# The first lines by which a driver says that the cluster refused it, and what that means.
_CAUSES = (
    (re.compile(r"Authentication failed"), "the secret of this application is not the cluster's"),
    (re.compile(r"Unknown challenge message|Unexpected challenge message|must be enabled when enabling encryption"),
     "this application does not authenticate in the way the cluster demands"),
    (re.compile(r"A secret key must be specified"), "this application has no secret, but the cluster demands one"),
    (re.compile(r"Connection from \S+ closed|Connection reset"),
     "this application does not encrypt in the way the cluster demands"),
    (re.compile(r"Connection refused"), "the cluster that this application was configured for is not there any more"),
    (re.compile(r"TimeoutException: Timeout waiting for task|All masters are unresponsive"),
     "the cluster does not answer this application"),
    (re.compile(r"Spark cannot start: (.*)"), None),
)
# Lines that every driver prints in every container and that the user can ignore.
_NOISE = re.compile(r"WARNING: Using incubator modules|^Setting default log level|^To adjust logging level"
                    r"|^Using Spark's default log4j profile|NativeCodeLoader: Unable to load native-hadoop"
                    r"|MacAddressUtil: Failed to find a usable hardware address")
_CIPHER = "spark.network.crypto.cipher"
_ip = None
_conf_dir = None  # the configuration that the hub gave this kernel, whatever SPARK_CONF_DIR says later
_cell = {}
_refusal = None
_refused = threading.Event()


class SparkRefused(RuntimeError):
    """The cluster or the hub refused this application; the message says why."""


def _make_session():
    from pyspark.sql import SparkSession

    conf = _ip.user_ns.get("swan_spark_conf")
    builder = SparkSession.builder
    if conf is not None and not isinstance(conf, _Placeholder):
        builder = builder.config(conf=conf)
    return builder.getOrCreate()


class _Placeholder:
    """A placeholder for a name; at its first use the name gets the real object."""

    def __init__(self, name):
        object.__setattr__(self, "_name", name)

    def _resolve(self):
        name = object.__getattribute__(self, "_name")
        if name == "swan_spark_conf":
            from pyspark import SparkConf

            _put(name, SparkConf())
        else:
            session = _make_session()
            for key, value in (("spark", session), ("sc", session.sparkContext)):
                if isinstance(_ip.user_ns.get(key), _Placeholder):
                    _put(key, value)
            return session if name == "spark" else session.sparkContext
        return _ip.user_ns[name]

    def __getattr__(self, attribute):
        # Display, completion and help look for these on everything; looking must not start a JVM.
        if attribute.startswith(("_repr_", "_ipython_", "__")) or attribute in ("_show_mem_addr", "_partialmethod", "getdoc"):
            raise AttributeError(attribute)
        return getattr(self._resolve(), attribute)

    def __setattr__(self, attribute, value):
        setattr(self._resolve(), attribute, value)

    def __dir__(self):
        return []

    def __repr__(self):
        return f"<{object.__getattribute__(self, '_name')}: ready when first used>"


def _put(name, value):
    _ip.user_ns[name] = value
    _ip.user_ns_hidden[name] = value


# ---- tags: which cell started a job ----

def _on_cell(info=None):
    """Before each cell: its id (JupyterLab sends it) and its message become the tags of its jobs."""
    try:
        parent = _ip.kernel.get_parent("shell")
        _cell["id"] = parent.get("metadata", {}).get("cellId")
        _cell["msg"] = parent.get("header", {}).get("msg_id")
    except Exception:
        _cell.clear()
    _end_session_of_dead_cluster()
    _tag_jobs()


def _tag_jobs():
    active = getattr(_spark_context(), "_active_spark_context", None)
    if active is None or not hasattr(active, "addJobTag"):
        return
    try:
        for tag in [tag for tag in active.getJobTags() if tag.startswith(_TAG)]:
            active.removeJobTag(tag)
        if _cell.get("id"):
            active.addJobTag(f"{_TAG}cell-{_cell['id'].replace(',', '_')}")
        if _cell.get("msg"):
            active.addJobTag(f"{_TAG}msg-{_cell['msg'].replace(',', '_')}")
    except Exception as error:  # a stopped context: jobs are not tagged, and nothing else breaks
        print(f"cygnet_spark: jobs of this cell are not tagged: {error}", file=sys.stderr)


# ---- what the driver says while it starts ----

def _find_cause(text):
    for pattern, meaning in _CAUSES:
        found = pattern.search(text)
        if found:
            line = next(line for line in text.splitlines() if pattern.search(line))
            return meaning or found.group(1), line.strip()
    return None


def _listen(pipe, process):
    """Shows the driver's output in the cell, and ends a driver that was refused."""
    global _refusal
    with os.fdopen(pipe, "r", errors="replace") as lines:
        for line in lines:
            if _NOISE.search(line):
                continue
            print(line, end="", file=sys.stderr, flush=True)
            if _refusal is not None or not _starting.is_set():
                continue
            _refusal = _find_cause(line)
            if _refusal is not None:
                _refused.set()
                if process:
                    process[0].kill()


_starting = threading.Event()

# ---- refusals that the driver does not hear ----

def _cipher_of_cluster():
    """None when the hub demands none."""
    try:
        with open(os.path.join(_conf_dir, "spark-defaults.conf")) as lines:
            return next((line.split(None, 1)[1].strip() for line in lines if line.startswith(_CIPHER + " ")), None)
    except (TypeError, OSError):
        return None


def _check_cipher(jconf):
    """Refuses a cipher that is not the cluster's before it connects. The cluster itself cannot tell: it takes bytes that
    it cannot decrypt for the length of a frame, and closes the connection only when that length is absurd."""
    theirs, mine = _cipher_of_cluster(), jconf.get(_CIPHER, "AES/CTR/NoPadding")
    if theirs is not None and theirs != mine and jconf.get("spark.network.crypto.enabled", "false") == "true":
        raise SparkRefused(f"Spark could not start: this application does not encrypt in the way the cluster demands.\n"
                           f"{_CIPHER} is {mine}, and the cluster wants {theirs}.")


def _check_registered(context):
    """Refuses a driver that no master has registered: it ends a moment after its start seemed to succeed, and until
    then its application id is one that it made up (TaskScheduler.applicationId)."""
    if context.master.startswith("spark://") and context.applicationId.startswith("spark-application-"):
        raise RuntimeError("a stopped SparkContext: no master has registered it")


def _cause_of(error):
    cause = _refusal or _find_cause(str(error))
    if cause is None and "stopped SparkContext" in str(error):
        _refused.wait(5)  # its last output may still come
        cause = _refusal
    return cause


# ---- a driver outlives its cluster ----

_launched_with = None


def _configuration():
    """Identifies the current cluster's configuration; None when there is none at the moment."""
    try:
        found = os.stat(os.path.join(os.environ["SPARK_CONF_DIR"], "spark-defaults.conf"))
        return found.st_ino, found.st_mtime_ns
    except (KeyError, OSError):
        return None


def _is_stale():
    return _launched_with is not None and _configuration() != _launched_with


def _drop_driver(cls):
    """Ends the driver's JVM, so that the next session starts a new one with the configuration of that time."""
    gateway, cls._gateway, cls._jvm = cls._gateway, None, None
    process = getattr(gateway, "proc", None)
    if process is not None:
        process.kill()
        process.wait()


def _end_session_of_dead_cluster():
    context = _spark_context()
    if context is None or context._active_spark_context is None or not _is_stale():
        return
    active = context._active_spark_context
    _drop_driver(context)
    session = sys.modules["pyspark.sql"].SparkSession if "pyspark.sql" in sys.modules else None
    for cls, names in ((context, ("_active_spark_context",)), (session, ("_instantiatedSession", "_activeSession"))):
        for name in names if cls is not None else ():
            if hasattr(cls, name):
                setattr(cls, name, None)
    active._jsc = None
    for name in ("spark", "sc"):
        if _ip.user_ns.get(name) is not None and type(_ip.user_ns[name]).__module__.startswith("pyspark."):
            _put(name, _Placeholder(name))
    print("The Spark cluster of this session has ended; the next use of spark or sc starts a new one.", file=sys.stderr)


def _spark_context():
    module = sys.modules.get("pyspark.core.context") or sys.modules.get("pyspark.context")
    return getattr(module, "SparkContext", None)


def _wrap_gateway(module):
    launch = module.launch_gateway
    popen = module.Popen

    def launch_gateway(conf=None, popen_kwargs=None):
        read, write = os.pipe()
        started = []

        def remember(*args, **kwargs):
            process = popen(*args, **kwargs)
            started.append(process)
            return process

        listener = threading.Thread(target=_listen, args=(read, started), daemon=True, name="cygnet-spark")
        listener.start()
        module.Popen = remember
        global _launched_with
        gateway = None
        try:
            gateway = launch(conf, {"stderr": write, **(popen_kwargs or {})})
            _launched_with = _configuration()
            return gateway
        finally:
            module.Popen = popen
            os.close(write)
            if gateway is None:
                listener.join(5)  # its last output says why

    module.launch_gateway = launch_gateway


def _wrap_context(module):
    cls = module.SparkContext
    init = cls._do_init
    initialize_context = cls._initialize_context
    ensure = cls._ensure_initialized.__func__

    def watched(work):
        global _refusal
        _refusal = None
        _refused.clear()
        _starting.set()
        try:
            return work()
        except SparkRefused:
            _drop_driver(cls)
            raise
        except Exception as error:
            cause = _cause_of(error)
            if cause is None:
                raise
            meaning, line = cause
            _drop_driver(cls)
            raise SparkRefused(f"Spark could not start: {meaning}.\nThe driver said: {line}") from None
        finally:
            _starting.clear()

    def _ensure_initialized(klass, *args, **kwargs):
        if klass._gateway is not None and klass._active_spark_context is None and _is_stale():
            _drop_driver(klass)  # it can use only the cluster that it was started for
        return watched(lambda: ensure(klass, *args, **kwargs))

    def _initialize_context(self, jconf):
        _check_cipher(jconf)
        return initialize_context(self, jconf)

    def _do_init(self, *args, **kwargs):
        def work():
            init(self, *args, **kwargs)
            _check_registered(self)

        watched(work)
        _tag_jobs()

    cls._ensure_initialized = classmethod(_ensure_initialized)
    cls._initialize_context = _initialize_context
    cls._do_init = _do_init


_WRAPPERS = {
    "pyspark.java_gateway": _wrap_gateway,
    "pyspark.core.context": _wrap_context,
    "pyspark.context": lambda module: hasattr(module.SparkContext, "_cygnet") or _wrap_context(module),
}


class _Loader(importlib.abc.Loader):
    def __init__(self, loader, wrap):
        self._loader, self._wrap = loader, wrap

    def create_module(self, spec):
        return self._loader.create_module(spec)

    def exec_module(self, module):
        self._loader.exec_module(module)
        self._wrap(module)

    def __getattr__(self, name):
        return getattr(self._loader, name)


class _Finder(importlib.abc.MetaPathFinder):
    """Wraps the two modules of PySpark when they are imported."""

    def find_spec(self, name, path=None, target=None):
        wrap = _WRAPPERS.get(name)
        if wrap is None:
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        if spec is None or spec.loader is None:
            return None
        if name == "pyspark.context" and "pyspark.core.context" in sys.modules:
            return None  # Spark 4: only a name for pyspark.core.context
        spec.loader = _Loader(spec.loader, wrap)
        return spec


def load_ipython_extension(ip):
    global _ip, _conf_dir
    _ip, _conf_dir = ip, os.environ.get("SPARK_CONF_DIR")
    if not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Finder())
    for name in _NAMES:
        if name not in ip.user_ns:
            _put(name, _Placeholder(name))
    ip.events.register("pre_run_cell", _on_cell)


def unload_ipython_extension(ip):
    ip.events.unregister("pre_run_cell", _on_cell)
    for name in _NAMES:
        if isinstance(ip.user_ns.get(name), _Placeholder):
            del ip.user_ns[name]
            ip.user_ns_hidden.pop(name, None)
