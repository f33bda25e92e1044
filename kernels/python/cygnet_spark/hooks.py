"""Wraps modules of PySpark and Py4J when they are imported. Which ones and by what is the table here."""
import importlib
import importlib.abc
import importlib.machinery
import sys

_WRAPPERS = {
    "py4j.protocol": "errors.wrap_protocol",
    "pyspark.accumulators": "context.wrap_accumulators",
    "pyspark.conf": "conf.wrap_conf",
    "pyspark.java_gateway": "gateway.wrap_launch",
    "pyspark.core.context": "context.wrap_context",  # since Spark 4
    "pyspark.context": "context.wrap_context",  # before; since then only a name for the one above
    "pyspark.errors.exceptions.base": "errors.wrap_base",
    "pyspark.errors.exceptions.captured": "errors.wrap_captured",
    "pyspark.sql.utils": "lazy.wrap_utils",
    "pyspark.sql.conf": "conf.wrap_runtime",
    "pyspark.sql.session": "builder.wrap_session",
    "pyspark.sql.types": "lazy.wrap_types",
    "pyspark.sql.udf": "lazy.wrap_udf",
    "pyspark.sql.connect.client.core": "remote.wrap_client",
    "pyspark.sql.connect.session": "remote.wrap_session",
}


def _wrap(module):
    where, function = _WRAPPERS[module.__name__].split(".")
    getattr(importlib.import_module(f"{__package__}.{where}"), function)(module)


class _Loader(importlib.abc.Loader):
    def __init__(self, loader):
        self._loader = loader

    def create_module(self, spec):
        return self._loader.create_module(spec)

    def exec_module(self, module):
        self._loader.exec_module(module)
        _wrap(module)

    def __getattr__(self, name):
        return getattr(self._loader, name)


class _Finder(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name not in _WRAPPERS or (name == "pyspark.context" and "pyspark.core.context" in sys.modules):
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        if spec is not None and spec.loader is not None:
            spec.loader = _Loader(spec.loader)
        return spec


def install():
    if any(isinstance(finder, _Finder) for finder in sys.meta_path):
        return
    sys.meta_path.insert(0, _Finder())
    for name in _WRAPPERS:
        if name in sys.modules:
            _wrap(sys.modules[name])


def loaded(*names):
    """The first of these modules that is imported, or None."""
    return next((sys.modules[name] for name in names if name in sys.modules), None)


def context_class():
    """SparkContext, or None while nobody has imported it."""
    module = loaded("pyspark.core.context", "pyspark.context")
    return getattr(module, "SparkContext", None)


def session_class():
    return getattr(loaded("pyspark.sql.session"), "SparkSession", None)
