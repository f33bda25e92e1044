"""The classic flavour: Py4J to a driver that the agent holds. Each command of this kernel to its JVM goes through Client."""
import collections
import os
import select
import struct
import types
import weakref

from py4j import protocol
from py4j.clientserver import ClientServer, JavaClient
from py4j.java_gateway import JavaObject, is_fatal_error

from . import cells, errors, session as sessions

ANSWER_S = 2.0  # how long an interrupted command may take to end, before its connection is given up
CAUSE_S = 5.0


class Client(JavaClient):
    """Sends commands: with the cell's tags before the first one, with plain words when the driver is gone."""

    session = None  # set before the first command
    context = None  # the JavaSparkContext, once there is one

    @property
    def is_dead(self):
        return self.session is not None and self.session.ended is not None

    def _create_new_connection(self):
        connection = super()._create_new_connection()
        self.connections.add(connection)
        return connection

    def wake(self):
        """Ends every wait for an answer."""
        for connection in list(self.connections):
            try:
                connection.socket.shutdown(2)
            except (OSError, AttributeError):
                pass  # it has ended by itself

    def garbage_collect_object(self, target_id, enqueue=True):
        if not self.is_dead:
            super().garbage_collect_object(target_id, enqueue)

    def send_command(self, command, retry=True, binary=False):
        session = self.session
        self._check()
        connection = None
        try:
            connection = self._get_connection()
            cells.before_command(self, connection)
            answer = connection.send_command(command)
        except KeyboardInterrupt as interrupt:
            self._finish(connection)
            if isinstance(interrupt, errors.SparkInterrupted):
                raise
            raise errors.SparkInterrupted("You interrupted this cell.") from None
        except (protocol.Py4JError, OSError):
            if connection is not None:
                connection.close()
            self._break(session)
        if is_fatal_error(answer):
            connection.close(False)
        elif binary:
            return answer, self._create_connection_guard(connection)
        else:
            self._give_back_connection(connection)
        return answer

    def _check(self):
        try:
            self.session.check()
        except errors.SparkLost:
            sessions.was_told(self.session)
            raise

    def _break(self, session):
        """The connection broke: says why."""
        cause = sessions.find_cause(session, CAUSE_S)
        if session.ended is None and cause is not None:
            sessions.lose(session, cause)
        self._check()
        raise errors.SparkProblem("The connection to Spark's driver broke, but the driver is there: run the cell again.") from None

    def _finish(self, connection):
        """Waits for the answer to a command that was interrupted, which comes when its jobs are cancelled. A connection whose
        answer does not come is closed, or the next command would read it."""
        if connection is None or connection.socket is None:
            return
        try:
            readable, _, _ = select.select([connection.socket], [], [], ANSWER_S)
            if readable:
                connection.socket.settimeout(ANSWER_S)
                answer = connection.stream.readline()
                connection.socket.settimeout(None)
                if answer.startswith(protocol.RETURN_MESSAGE.encode()):
                    self._give_back_connection(connection)
                    return
        except (OSError, ValueError, KeyboardInterrupt):
            pass
        connection.close()

    # ---- commands of our own, which are nobody's first ----
    def call(self, connection, target, method, *words):
        """A method of a Java object on this connection."""
        parts = "".join(protocol.get_command_part(word) for word in words)
        answer = connection.send_command(f"{protocol.CALL_COMMAND_NAME}{target}\n{method}\n{parts}{protocol.END_COMMAND_PART}")
        return protocol.get_return_value(answer, self, target, method)


class Gateway(ClientServer):
    def _create_gateway_client(self):
        client = Client(self.java_parameters, self.python_parameters, finalizer_deque=self._create_finalizer_worker())
        client.connections = weakref.WeakSet()
        client.session = sessions.current()
        return client


def _read_key(path):
    """(port, secret) as PySpark's gateway writes them: two integers in network order, the second a length."""
    with open(path, "rb") as file:
        port, length = struct.unpack("!ii", file.read(8))
        return port, file.read(length).decode()


def _id_of_living(self):
    """An object of a driver that is gone must not be taken for one with the same number in the next."""
    session = getattr(self._gateway_client, "session", None)
    if session is not None:
        session.check()
    return self._target_id


def wrap_launch(module):
    """pyspark.java_gateway: attaches to the session's driver where PySpark would start one as a child of the kernel."""
    launch = module.launch_gateway

    def launch_gateway(conf=None, popen_kwargs=None):
        session = sessions.ensure(dict(conf.getAll()) if conf is not None else {})
        if conf is not None and conf._conf is not None:
            for name in session.fixed:  # the driver has what the site says
                conf._conf.pop(name, None)
        if session.flavour != "classic":
            raise errors.SparkProblem("This session is Spark Connect's, which has no SparkContext: use `spark`.")
        port, secret = _read_key(session.gateway)
        JavaObject._get_object_id = _id_of_living
        # What PySpark takes for its environment: a secret in the real one would be in every child's.
        seen = collections.ChainMap({"PYSPARK_GATEWAY_PORT": str(port), "PYSPARK_GATEWAY_SECRET": secret}, os.environ)
        real_os, real_class = module.os, module.ClientServer
        module.os, module.ClientServer = types.SimpleNamespace(environ=seen), Gateway
        try:
            gateway = launch(conf)
        finally:
            module.os, module.ClientServer = real_os, real_class
        session.on_end.append(gateway._gateway_client.wake)
        return gateway

    module.launch_gateway = launch_gateway


def client():
    """Of the session that is there, or None."""
    from . import hooks

    context = hooks.context_class()
    gateway = context._gateway if context is not None else None
    return gateway._gateway_client if gateway is not None and isinstance(gateway._gateway_client, Client) else None


