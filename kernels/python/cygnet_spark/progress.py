"""One line below the cell that says how far a start is; it is updated in place."""
import sys
import time
import uuid

from . import state


class Line:
    def __init__(self):
        self._since = time.monotonic()
        self._id = None
        self._step = "Starting Spark"
        self._is_over = False

    @property
    def seconds(self):
        return int(time.monotonic() - self._since)

    def step(self, text):
        self._step = text.rstrip(".… ")
        self._show(f"{self._step} …")

    def tick(self):
        """Time has passed."""
        self._show(f"{self._step} … {self.seconds} s")

    def ready(self, version, label):
        where = f" on {label}" if label else ""
        return f"Spark {version}{where}, ready in {max(self.seconds, 1)} s"

    def end(self, text):
        """The last word; None leaves the line as it is. Comes once."""
        if not self._is_over and text is not None:
            self._show(text)
        self._is_over = True

    def _show(self, text):
        if self._is_over:
            return
        if not hasattr(state.ip, "kernel"):
            print(text, file=sys.stderr)
            return
        from IPython.display import display, update_display

        data = {"text/plain": text}
        if self._id is None:
            self._id = f"cygnet-spark-{uuid.uuid4().hex}"
            display(data, raw=True, display_id=self._id)
        else:
            update_display(data, raw=True, display_id=self._id)
