"""Disks that stop to be written: prepare(folder) before a program uses it, begin() and end() of the trouble, close()."""

import os
import sqlite3
import subprocess

import pytest

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount")


class Lock:
    """Another process holds the database's lock."""

    REMOUNTS = False

    def prepare(self, state):
        self.path = state / "hub.db"

    def begin(self):
        self.db = sqlite3.connect(self.path, isolation_level=None, timeout=60)
        self.db.execute("BEGIN IMMEDIATE")

    def end(self):
        self.db.close()

    def close(self):
        pass


class FullDisk:
    """The state folder is a small file system that another process fills."""

    REMOUNTS = False

    def prepare(self, state):
        self.state = state
        state.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4M,mode=711", "tmpfs", state], check=True)

    def begin(self):
        with open(self.state / "filler", "wb", buffering=0) as filler:
            try:
                while filler.write(bytes(4096)):
                    pass
            except OSError as error:
                assert "No space left" in str(error)

    def end(self):
        (self.state / "filler").unlink()

    def close(self):
        subprocess.run(["umount", "-l", self.state], check=True)


class ReadOnly:
    """The kernel makes the file system read-only, as it does after an error of the disk; it is mounted anew then."""

    REMOUNTS = True

    def prepare(self, state):
        self.state, self.image = state, state.with_name("disk.img")
        state.mkdir()
        with open(self.image, "wb") as image:
            image.truncate(16 << 20)
        subprocess.run(["mkfs.ext4", "-q", self.image], check=True)
        self.mount()

    def mount(self):
        subprocess.run(["mount", "-o", "loop", self.image, self.state], check=True)

    def begin(self):
        subprocess.run(["mount", "-o", "remount,abort", self.state], check=True)

    def end(self):
        subprocess.run(["umount", self.state], check=True)
        subprocess.run(["e2fsck", "-p", self.image], stdout=subprocess.DEVNULL)  # its status says that it repaired
        self.mount()

    def close(self):
        subprocess.run(["umount", self.state], check=True)
