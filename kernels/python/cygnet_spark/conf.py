"""Settings: swan_spark_conf, what goes to the agent, and that no secret is shown."""
import functools
import re
import sys

from . import lazy, state

REDACTED = "*********(redacted)"
_SECRET = re.compile(r"(?i)secret|password|passwd|token|access[.]?key|credential")


def is_secret(name):
    return _SECRET.search(name) is not None


def chosen():
    """What swan_spark_conf says, for the session to come."""
    held = state.ip.user_ns.get("swan_spark_conf")
    if held is None or lazy.is_placeholder(held) or not hasattr(held, "_conf"):
        return {}
    return dict(held._conf or {})


def cannot_apply(names):
    return (f"The running Spark session cannot take {_list(names)}: these settings need a new one. Call spark.stop(), then the"
            " next use starts a session with them.")


def fixed(names):
    return f"This site or this server fixes {_list(names)}: the session goes on without what you set."


def say_cannot_apply(held, names):
    """held: the SparkConf that is in force."""
    if names:
        state.say(cannot_apply([name if is_secret(name) else f"{name} (it is {held.get(name) or 'not set'})" for name in names]))


def _list(names):
    return ", ".join(names[:-1]) + " and " + names[-1] if len(names) > 1 else names[0]


def _asked_by_pyspark():
    """PySpark itself copies settings by getAll: it gets them whole."""
    return sys._getframe(2).f_globals.get("__name__", "").startswith(("pyspark.", __package__))


def wrap_conf(module):
    cls = module.SparkConf
    get_all, to_debug, set_one = cls.getAll, cls.toDebugString, cls.set

    @functools.wraps(get_all)
    def getAll(self):
        pairs = get_all(self)
        if _asked_by_pyspark():
            return pairs
        return [(name, REDACTED if is_secret(name) else value) for name, value in pairs]

    @functools.wraps(to_debug)
    def toDebugString(self):
        return "\n".join(f"{name}={REDACTED if is_secret(name) else value}" for name, value in sorted(get_all(self)))

    @functools.wraps(set_one)
    def set(self, key, value):
        if value == REDACTED and is_secret(key):
            return self  # copied from what getAll showed: the real one is in the defaults
        return set_one(self, key, value)

    cls.getAll, cls.toDebugString, cls.set = getAll, toDebugString, set


def wrap_runtime(module):
    cls = module.RuntimeConfig
    if not hasattr(cls, "getAll"):
        return
    get_all = cls.getAll.fget if isinstance(cls.getAll, property) else cls.getAll

    def getAll(self):
        return {name: REDACTED if is_secret(name) else value for name, value in get_all(self).items()}

    cls.getAll = property(getAll) if isinstance(cls.__dict__["getAll"], property) else getAll


def SwanConf():
    """swan_spark_conf: the settings of the session to come. Stays in this process: it holds what users chose, not defaults."""
    from pyspark import SparkConf

    class Conf(SparkConf):
        def __init__(self):
            self._jconf, self._conf = None, {}

        def set(self, key, value):
            from . import session

            if session.current() is not None:
                state.say(cannot_apply([key]))
            return super().set(key, value)

    Conf.__name__ = "SparkConf"
    return Conf()
