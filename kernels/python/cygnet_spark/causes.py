"""Java's words in plain ones. Pure, but for the reader of a driver's log."""
import re

# The first lines by which a driver says that the cluster refused it, and what that means.
_REFUSALS = (
    (re.compile(r"Authentication failed"), "the secret of this application is not the cluster's"),
    (re.compile(r"Unknown challenge message|Unexpected challenge message|must be enabled when enabling encryption"),
     "this application does not authenticate in the way the cluster demands"),
    (re.compile(r"A secret key must be specified"), "this application has no secret, but the cluster demands one"),
    (re.compile(r"Connection from \S+ closed|Connection reset"),
     "this application does not encrypt in the way the cluster demands"),
    (re.compile(r"StandaloneAppClient.*Failed to connect to master|Failed to connect to (?:localhost|[\w.-]+)/\S+:\d+"),
     "the cluster that this application was configured for is not there any more"),
    (re.compile(r"TimeoutException: Timeout waiting for task|All masters are unresponsive"),
     "the cluster does not answer this application"),
    (re.compile(r"Invalid master URL: (\S+)"), r"\1 is not the address of a master (spark://HOST:PORT)"),
    (re.compile(r"Could not parse Master URL: '?([^'\s]+)"), r"\1 is not the address of a master (spark://HOST:PORT)"),
)
# What an error is about, and what to do: the first that is found in Java's text.
_WORDS = tuple((re.compile(pattern), words) for pattern, words in (
    (r"unresolved dependency: ([^\s\]:]+(?:#[^\s\]:]+)?)|Server access error at url|\[download failed: ([^\]]+)\]",
     "The packages of spark.jars.packages could not be fetched: they do not exist, or this server has no network. Put the jar"
     " files into your home folder and name them in spark.jars."),
    (r"Input path does not exist: (\S+)|FileNotFoundException: (?:File )?(\S+)(?: does not exist|\s\(No such file)",
     r"There is no file or folder \1\2."),
    (r"No FileSystem for scheme \"?(\w+)|UnsupportedFileSystemException: No FileSystem for scheme \"?(\w+)|ClassNotFoundException: Class"
     r" org\.apache\.hadoop\.fs\.(s3a)",
     r"This Spark cannot read addresses that begin with \1\2\3: the connector for them is missing. Local files begin with file:."),
    (r"UnknownHostException: ([\w.-]+)",
     r"The host \1 is not known from here: look at the address for a mistake."),
    (r"ConnectException: (?:Call From \S+ to )?(\S+)? ?.*Connection refused|Connection refused: (\S+)",
     "Nobody answers at the address that was asked: the service is not there, or this server cannot reach it."),
    (r"(Executor|System) memory (\S+) must be at least (\d+)",
     "The memory that was asked for is too small for Spark: give spark.driver.memory and spark.executor.memory at least 512m."),
    (r"Could not reserve enough space|Cannot allocate memory|Native memory allocation|Too small maximum heap|Invalid maximum heap",
     "The server does not have the memory that spark.driver.memory asks for: ask for less, or start a larger server."),
    (r"GC overhead limit exceeded|OutOfMemoryError: Java heap space",
     "Spark ran out of memory: bring fewer rows to the notebook at once, use more partitions, or ask for more memory before the"
     " session starts (spark.driver.memory, spark.executor.memory)."),
    (r"is bigger than (?:local )?(?:spark\.driver\.maxResultSize|local maxResultSize)",
     "The result is larger than spark.driver.maxResultSize allows: aggregate first, write it to a file, or take fewer rows."),
    (r"ExecutorLostFailure .*?(?:exit(?:ed)?(?:ing)? (?:with |caused )?.*?(?:code|status) 137|OutOfMemory|killed)",
     "An executor was ended, most likely because the server's memory was used up: use more partitions, or a larger server."),
    (r"ExecutorLostFailure|Remote RPC client disassociated", "An executor was lost while it worked for this job."),
    (r"SPARK_JOB_CANCELLED|Job \d+ cancelled", "The job was cancelled."),
    (r"Cannot call methods on a stopped SparkContext|SparkContext (?:has been|was) (?:shut down|shutdown)|SparkSession.*has been closed",
     "This Spark session was stopped: use `spark` again, which starts a new one."),
    (r"Python worker exited unexpectedly|Python worker failed to connect back",
     "A Python worker ended in the middle of its work, most likely because the server's memory was used up."),
    (r"No space left on device", "A disk is full: Spark's temporary files or the result do not fit."),
    (r"AccessControlException: Permission denied|AccessDeniedException: (\S+)", r"You may not read or write that file or folder \1."),
    (r"Task not serializable|NotSerializableException: (\S+)",
     "A function uses something that cannot be sent to executors; keep what belongs to the notebook out of it."),
))
_CLASS = re.compile(r"^(?:Caused by: )?(?:[\w$]+\.)+([\w$]*(?:Exception|Error|Throwable))(?:: (.*))?$", re.M)
_LOST_TASK = re.compile(r"most recent failure: Lost task [^:]*: (.*?)(?:\n\tat |\n\nDriver stacktrace|\nDriver stacktrace|$)", re.S)
_PY_LINE = re.compile(r'^ {2}File "([^"]*)", line \d+')
LINE_MAX = 500


def find_refusal(text):
    """(meaning, the line that says it), or None."""
    for line in text.splitlines():
        for pattern, meaning in _REFUSALS:
            found = pattern.search(line)
            if found:
                return found.expand(meaning) if found.groups() else meaning, line.strip()
    return None


def explain(text):
    """What is wrong and what to do, or None: an error that is not in the table."""
    for pattern, words in _WORDS:
        found = pattern.search(text)
        if found:
            return _fill(words, found).replace(" .", ".")
    return None


def _fill(words, found):
    return re.sub(r"\\(\d)", lambda number: found.group(int(number.group(1))) or "", words)


def first_line(text):
    """What the error itself says, without its class's package: of a failed task, what failed in it."""
    lost = _LOST_TASK.search(text)
    inner = lost.group(1) if lost else text
    python = _python_error(inner)
    if python:
        return python
    found = _CLASS.search(inner)
    if found:
        said = (found.group(2) or found.group(1)).strip()
    else:
        said = next((line.strip() for line in inner.splitlines() if line.strip()), "Spark failed without a word")
    return said[:LINE_MAX]


def _python_error(text):
    """The end of a Python worker's traceback: the user's own lines and the error."""
    start = text.rfind("Traceback (most recent call last):")
    if start < 0:
        return None
    lines = re.split(r"\n\tat |\n\n", text[start:])[0].rstrip().splitlines()
    kept, is_kept = [], False
    for number, line in enumerate(lines[1:], 1):
        place = _PY_LINE.match(line)
        if place:
            is_kept = "/pyspark/" not in place.group(1) and "pyspark.zip" not in place.group(1)
        elif not line.startswith(" "):
            return "\n".join(["A function of yours failed on an executor:", *kept, *lines[number:]])
        if is_kept:
            kept.append(line)
    return None


def sentence(text):
    """One or a few lines for the user."""
    return explain(text) or first_line(text)


def shorten(text):
    """Spark's own message, without a Java stack and without what a Python worker did around the user's function."""
    python = _python_error(text)
    if python:
        return python
    return re.split(r"\n\nJVM stacktrace:|\n\tat ", text)[0].rstrip()


class Log:
    """What a driver writes into its log from now on."""

    def __init__(self, path):
        self._path = path
        try:
            self._at = path.stat().st_size
        except (OSError, AttributeError):
            self._at = 0

    def read(self):
        try:
            with open(self._path, "rb") as file:
                file.seek(self._at)
                data = file.read(1 << 20)
        except OSError:
            return ""
        self._at += len(data)
        return data.decode(errors="replace")

    def find_refusal(self):
        return find_refusal(self.read())
