"""SparkSession and its builder: settings go to the agent before the first session, and later it is said which cannot apply."""
import functools

from . import conf, context, errors, session as sessions

_SILENT = ("spark.app.name", "spark.remote", "spark.api.mode", "spark.master")


def wrap_session(module):
    cls = module.SparkSession
    builder = cls.Builder if isinstance(cls.Builder, type) else type(cls.builder)
    get_or_create, stop = builder.getOrCreate, cls.stop

    @functools.wraps(get_or_create)
    def getOrCreate(self):
        options = {name: str(value) for name, value in self._options.items()}
        if "spark.remote" in options:  # a server of the user's own
            return get_or_create(self)
        running = sessions.current()
        session = sessions.ensure(options)
        if session.flavour == "connect":
            from . import remote

            made = remote.get_or_create(session, options)
        elif running is session and cls._instantiatedSession is not None:
            ignored = _find_ignored(cls._instantiatedSession, options)
            made = get_or_create(self)
            conf.say_cannot_apply(made.sparkContext.getConf(), ignored)
        else:
            made = get_or_create(self)
        return made

    @functools.wraps(stop)
    def _stop(self):
        session = sessions.current()
        context._session_stops.set()
        try:
            stop(self)
        except errors.SparkProblem:
            pass  # its driver is gone already
        finally:
            context._session_stops.clear()
        if session is not None:
            sessions.finish(session)
            sessions.bury(self._sc, session.ended)

    builder.getOrCreate = getOrCreate
    cls.stop = _stop


def _find_ignored(running, options):
    """A running session takes SQL's runtime settings alone; Spark says so in its log, and nobody reads that. Names that Spark
    does not know are kept for whoever reads them, and those of Hadoop count for every read."""
    held = running.sparkContext.getConf()
    return [name for name, value in options.items()
            if name not in _SILENT and not name.startswith("spark.hadoop.") and held.get(name) != value
            and _is_known(running, name) and not running.conf.isModifiable(name)]


def _is_known(running, name):
    entries = getattr(getattr(running._jvm, "org.apache.spark.internal.config.ConfigEntry$"), "MODULE$")
    return entries.findEntry(name) is not None
