"""The names spark, sc and swan_spark_conf before their first use, and functions of PySpark that need a session."""
import functools
import importlib
import sys

from . import hooks, state

NAMES = ("spark", "sc", "swan_spark_conf")
# Display, completion and help look for these on everything; looking must not start a driver.
_LOOKED_FOR = ("_show_mem_addr", "_partialmethod", "getdoc", "_render_traceback_")
_CLASSES = {"spark": ("pyspark.sql.session", "SparkSession"), "sc": ("pyspark.core.context", "SparkContext"),
            "swan_spark_conf": ("pyspark.conf", "SparkConf")}


def _class_of(name):
    """What the name will be an instance of; None while that module is not imported, and nobody can ask."""
    module, cls = _CLASSES[name]
    found = hooks.loaded(module, module.replace(".core", ""))
    return getattr(found, cls, None)


def _import_class(name):
    """The same for those who look; None without PySpark."""
    module = _CLASSES[name][0]
    try:
        importlib.import_module("pyspark.sql" if module.startswith("pyspark.sql") else "pyspark")
    except ImportError:
        return None
    return _class_of(name)


def _is_looking(depth):
    """Completion and help ask for attributes as code does; who asks tells."""
    return sys._getframe(depth).f_globals.get("__name__", "").startswith(("jedi.", "IPython.core.completer", "IPython.core.oinspect"))


class Placeholder:
    """Stands for a name; at its first use the name gets the real object. Copies of it go on to work."""

    def __init__(self, name):
        object.__setattr__(self, "_name", name)

    def _resolve(self):
        return resolve(object.__getattribute__(self, "_name"))

    @property
    def __class__(self):
        return _class_of(object.__getattribute__(self, "_name")) or Placeholder

    def __getattr__(self, attribute):
        if attribute.startswith(("_repr_", "_ipython_", "__")) or attribute in _LOOKED_FOR:
            raise AttributeError(attribute)
        if _is_looking(2):
            return getattr(_import_class(object.__getattribute__(self, "_name")), attribute)
        return getattr(self._resolve(), attribute)

    def __setattr__(self, attribute, value):
        setattr(self._resolve(), attribute, value)

    def __dir__(self):
        return dir(_import_class(object.__getattribute__(self, "_name")))

    def __enter__(self):
        return self._resolve().__enter__()

    def __exit__(self, *what):
        return self._resolve().__exit__(*what)

    def __reduce__(self):
        raise TypeError(f"{object.__getattribute__(self, '_name')} belongs to the notebook: functions that run on executors"
                        " cannot use it")

    def __repr__(self):
        return f"<{object.__getattribute__(self, '_name')}: ready when first used>"


def is_placeholder(value):
    return type(value) is Placeholder


def resolve(name):
    if name == "swan_spark_conf":
        from . import conf

        state.put(name, conf.SwanConf())
        return state.ip.user_ns[name]
    from . import session

    real = session.make()
    adopt(real)
    if name == "spark":
        return real
    if not hasattr(real, "_sc"):
        from . import errors

        raise errors.SparkProblem("Spark Connect has no SparkContext: use `spark`, or choose the classic flavour for this notebook.")
    return real.sparkContext


def adopt(real):
    """Gives the names that are still placeholders the real objects."""
    if is_placeholder(state.ip.user_ns.get("spark")):
        state.put("spark", real)
    if is_placeholder(state.ip.user_ns.get("sc")) and hasattr(real, "_sc"):
        state.put("sc", real.sparkContext)


def put_names(ip):
    for name in NAMES:
        if name not in ip.user_ns:
            state.put(name, Placeholder(name))


def take_names(ip):
    for name in NAMES:
        if is_placeholder(ip.user_ns.get(name)):
            del ip.user_ns[name]
            ip.user_ns_hidden.pop(name, None)


def put_back():
    """The session is gone: spark and sc get a new one at their next use. Names that users gave other values stay."""
    for name in ("spark", "sc"):
        if type(state.ip.user_ns.get(name)).__module__.startswith("pyspark."):
            state.put(name, Placeholder(name))


# ---- functions that need a session, before there is one ----
_STARTS_NOTHING = ("udf", "udtf", "pandas_udf", "arrow_udf", "arrow_udtf")
_SIMPLE = {"string": "StringType", "boolean": "BooleanType", "bool": "BooleanType", "tinyint": "ByteType", "byte": "ByteType",
           "smallint": "ShortType", "short": "ShortType", "int": "IntegerType", "integer": "IntegerType", "bigint": "LongType",
           "long": "LongType", "float": "FloatType", "real": "FloatType", "double": "DoubleType", "date": "DateType",
           "timestamp": "TimestampType", "binary": "BinaryType"}


def _has_session():
    context = hooks.context_class()
    return context is None or context._active_spark_context is not None or _is_remote()


def _is_remote():
    import os

    return "SPARK_CONNECT_MODE_ENABLED" in os.environ


def _ensure():
    if not _has_session():
        from . import session

        adopt(session.make())


def wrap_utils(module):
    """pyspark.sql.utils: col("x") and the like are uses of Spark, so they start a session instead of an AssertionError."""
    decorate = module.try_remote_functions

    def try_remote_functions(function):
        decorated = decorate(function)
        if function.__name__ in _STARTS_NOTHING:
            return decorated

        @functools.wraps(function)
        def wrapped(*args, **kwargs):
            _ensure()
            return decorated(*args, **kwargs)

        return wrapped

    module.try_remote_functions = try_remote_functions
    if hasattr(module, "get_active_spark_context"):
        active = module.get_active_spark_context

        @functools.wraps(active)
        def get_active_spark_context():
            _ensure()
            return active()

        module.get_active_spark_context = get_active_spark_context


def wrap_types(module):
    """pyspark.sql.types: the type of @pandas_udf("long") is known without a JVM."""
    parse = module._parse_datatype_string

    @functools.wraps(parse)
    def _parse_datatype_string(text):
        simple = _SIMPLE.get(text.strip().lower()) if isinstance(text, str) and not _has_session() else None
        if simple is not None:
            return getattr(module, simple)()
        _ensure()
        return parse(text)

    module._parse_datatype_string = _parse_datatype_string


def wrap_udf(module):
    """pyspark.sql.udf: functions that were decorated before the session, or for one that is gone, work in the next."""
    cls = module.UserDefinedFunction
    call = cls.__call__
    judf = cls._judf

    def current(self):
        held = self._judf_placeholder
        if held is not None and getattr(held._gateway_client, "is_dead", False):
            self._judf_placeholder = None
        return judf.fget(self)

    def __call__(self, *args, **kwargs):
        _ensure()
        if not _is_remote():
            return call(self, *args, **kwargs)
        from pyspark.sql.connect.udf import UserDefinedFunction

        return UserDefinedFunction(self.func, self.returnType, self._name, self.evalType, self.deterministic)(*args, **kwargs)

    cls._judf = property(current)
    cls.__call__ = functools.wraps(call)(__call__)
