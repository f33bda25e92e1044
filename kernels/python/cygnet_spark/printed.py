"""What the driver's JVM prints for the user (show() of a stream's console sink, say): its file is followed into the notebook."""
import codecs
import os
import threading
import time

from . import state

PERIOD_S = 0.25
PART_MAX = 1 << 16


def follow(session):
    if session.stdout:
        threading.Thread(target=_follow, args=(session,), daemon=True, name="cygnet-spark-printed").start()


def _follow(session):
    """From its end: what an earlier process of this kernel has shown is not shown again."""
    try:
        with open(session.stdout, "rb") as file:
            file.seek(0, os.SEEK_END)
            _copy(session, file)
    except OSError:
        pass  # the session is gone with its folder


def _copy(session, file):
    decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
    while True:
        is_last = session.ended is not None
        data = file.read(PART_MAX)
        if data:
            _send(decoder.decode(data))
        elif is_last:
            return
        else:
            time.sleep(PERIOD_S)


def _send(text):
    """To the cell that runs, or the last one: a thread's own print would go to the cell that started the session."""
    kernel = getattr(state.ip, "kernel", None)
    if kernel is None:
        print(text, end="", flush=True)
        return
    content = {"name": "stdout", "text": text}
    kernel.session.send(kernel.iopub_socket, "stream", content, parent=kernel.get_parent("shell"), ident=b"stream.stdout")
