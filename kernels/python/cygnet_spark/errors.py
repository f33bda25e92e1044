"""What users read when something fails: a sentence and their own lines. Java's words are kept in a file behind %spark_details."""
import functools
import os
import sysconfig
import types

from . import state

DETAILS_MAX = 1 << 20
_own = os.path.dirname(os.path.abspath(__file__)) + os.sep
_stdlib = sysconfig.get_paths()["stdlib"] + os.sep
_LIBRARIES = tuple(f"{os.sep}{name}{os.sep}" for name in ("pyspark", "py4j", "grpc", "IPython", "ipykernel"))
_last = None  # the text of the last details
POINTER = "Java's own words: %spark_details"


class Shown:
    """Exceptions of ours: no frame of a library is shown."""

    def _render_traceback_(self):
        return render(self, type(self).__name__, str(self))


class SparkProblem(Shown, RuntimeError):
    """Something is wrong with the Spark session; the message says what, and what to do."""


class SparkRefused(SparkProblem):
    """The cluster or the hub refused this application, or its driver did not start; the message says why."""


class SparkLost(SparkProblem):
    """The driver is gone; the message says why. The next use of spark starts a new one."""

    def __str__(self):
        return f"{super().__str__()} The next use of `spark` starts a new session; what you made with the old one is gone with it."


class SparkStopped(SparkProblem):
    """Used after stop()."""


class SparkInterrupted(Shown, KeyboardInterrupt):
    """The user interrupted the kernel."""


# ---- tracebacks ----
def is_own_line(filename):
    """True of the user's code: no library that stands between them and Spark."""
    inside = filename.startswith((_own, _stdlib)) and "site-packages" not in filename
    return not inside and not filename.startswith(_own) and not any(name in filename for name in _LIBRARIES)


def own_traceback(tb):
    frames = []
    while tb is not None:
        if is_own_line(tb.tb_frame.f_code.co_filename):
            frames.append(tb)
        tb = tb.tb_next
    found = None
    for one in reversed(frames):
        found = types.TracebackType(found, one.tb_frame, one.tb_lasti, one.tb_lineno)
    return found


def render(error, name, text):
    """The lines of a traceback: the user's own frames, then the name and the text."""
    shown = type(name, (Exception,), {})(text)
    shown.__suppress_context__ = True
    return state.ip.InteractiveTB.structured_traceback(type(shown), shown, own_traceback(error.__traceback__), tb_offset=0)


# ---- Java's words ----
def java_text(error):
    """All that Java says on an error: its stack and causes."""
    found = getattr(error, "_cygnet_java", None)
    if found is None:
        try:
            plain = getattr(type(error), "_cygnet_str", type(error).__str__)
            found = plain(error)
        except Exception:  # the driver that knows more is gone
            found = getattr(error, "errmsg", None) or type(error).__name__
        try:
            error._cygnet_java = found
        except AttributeError:
            pass
    return found


def _details_file():
    from . import agent, session

    return agent.RUN / "log" / f"spark-errors-{session.kernel_id()}.log"


def keep_details(text, log=None):
    """Appends to this kernel's file of details; one older file is kept when it grows."""
    global _last
    _last = text + (f"\n\nThe driver's log: {log}" if log else "")
    try:
        path = _details_file()
        if path.exists() and path.stat().st_size > DETAILS_MAX:
            path.replace(path.with_suffix(".log.1"))
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600), "w") as file:
            file.write(_last[:DETAILS_MAX] + "\n\n")
    except (OSError, RuntimeError):
        pass  # no room, or no kernel: they are still shown on demand


def show_details():
    print(_last if _last is not None else "No Spark error has been shown in this notebook yet.")
    if _last is not None:
        print(f"All of them: {_details_file()}")


# ---- PySpark's and Py4J's exceptions ----
def wrap_protocol(module):
    """py4j.protocol: the text of a Java error is its cause in plain words, not its stack."""
    cls = module.Py4JJavaError
    cls._cygnet_str = cls.__str__

    def __str__(self):
        from . import causes

        return causes.sentence(java_text(self))

    def _render_traceback_(self):
        keep_details(java_text(self))
        return render(self, "SparkError", f"{self}\n{POINTER}")

    cls.__str__, cls._render_traceback_ = __str__, _render_traceback_


def wrap_base(module):
    """pyspark.errors: Spark's own short messages stay, frames of PySpark go."""

    def _render_traceback_(self):
        from . import causes

        text = str(self)
        java = getattr(self, "_stackTrace", None)
        if java:
            keep_details(java)
        short = causes.shorten(text)
        return render(self, type(self).__name__, short + (f"\n{POINTER}" if java and short != text else ""))

    module.PySparkException._render_traceback_ = _render_traceback_


def wrap_captured(module):
    """Its text needs the driver, which may be gone by now."""
    cls = module.CapturedException
    text = cls.__str__

    @functools.wraps(text)
    def __str__(self):
        try:
            return text(self)
        except Exception:
            return str(self._desc if hasattr(self, "_desc") else self.desc)

    cls.__str__ = __str__
