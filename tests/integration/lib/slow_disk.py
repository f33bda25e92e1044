"""A file system whose reads wait until they are let go: what a home on a network looks like when its server hangs.
It speaks the kernel's FUSE protocol itself (version 7.31, linux/fuse.h) and holds one file."""

import contextlib
import ctypes
import errno
import os
import struct
import threading

NAME = "slow.bin"
ROOT, FILE = 1, 2
LOOKUP, FORGET, GETATTR, OPEN, READ, RELEASE, INIT, OPENDIR, READDIR, RELEASEDIR, INTERRUPT, FORGETS = (
    1, 2, 3, 14, 15, 18, 26, 27, 28, 29, 36, 42)


class SlowDisk:
    """Mounted at folder while it is entered; go() lets all reads through, asked is set when one waits. With
    names=True the looking up of names waits, too."""

    def __init__(self, folder, data, names=False):
        self.folder, self.data, self.names = folder, data, names
        self.asked, self._go, self._waiting, self._lock = threading.Event(), False, [], threading.Lock()

    def __enter__(self):
        self.folder.mkdir()
        self.device = os.open("/dev/fuse", os.O_RDWR | os.O_CLOEXEC)
        libc = ctypes.CDLL(None, use_errno=True)
        options = f"fd={self.device},rootmode=40000,user_id=0,group_id=0,allow_other"
        if libc.mount(b"slow", os.fsencode(self.folder), b"fuse", 0, options.encode()) != 0:
            raise OSError(ctypes.get_errno(), "mount a FUSE file system")
        self.thread = threading.Thread(target=self._serve)
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.go()
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.umount2(os.fsencode(self.folder), 2) != 0:  # MNT_DETACH
            raise OSError(ctypes.get_errno(), "unmount")
        self.thread.join()
        os.close(self.device)

    def go(self):
        with self._lock:
            self._go = True
            waiting, self._waiting = self._waiting, []
        for one in waiting:
            self._let_go(*one)

    def _serve(self):
        while True:
            try:
                request = os.read(self.device, 1 << 18)
            except OSError as error:
                if error.errno == errno.ENOENT:  # taken back by the kernel
                    continue
                return
            _, opcode, unique, node = struct.unpack_from("<IIQQ", request)
            with contextlib.suppress(OSError):
                self._answer(opcode, unique, node, request[40:])

    def _reply(self, unique, data=b"", error=0):
        os.write(self.device, struct.pack("<IiQ", 16 + len(data), -error, unique) + data)

    def _attributes(self, node):
        mode, size = (0o40755, 0) if node == ROOT else (0o100644, len(self.data))
        return struct.pack("<QQQQQQIIIIIIIIII", node, size, 0, *[10**9] * 3, *[0] * 3, mode, 1, 0, 0, 0, 4096, 0)

    def _answer(self, opcode, unique, node, body):
        if opcode == INIT:
            self._reply(unique, struct.pack("<IIIIHHI", 7, 31, 1 << 17, 0, 16, 16, 1 << 17).ljust(64, b"\0"))
        elif opcode == LOOKUP and body == NAME.encode() + b"\0":
            self._reply(unique, struct.pack("<QQQQII", FILE, 0, 60, 60, 0, 0) + self._attributes(FILE))
        elif opcode == LOOKUP:
            self._hold(unique, None)
        elif opcode == GETATTR:
            self._reply(unique, struct.pack("<QII", 60, 0, 0) + self._attributes(node))
        elif opcode in (OPEN, OPENDIR):
            self._reply(unique, struct.pack("<QII", 0, 0, 0))
        elif opcode == READ:
            self._read(unique, *struct.unpack_from("<QQI", body)[1:])
        elif opcode in (READDIR, RELEASE, RELEASEDIR):
            self._reply(unique)
        elif opcode not in (FORGET, FORGETS, INTERRUPT):
            self._reply(unique, error=errno.ENOSYS)

    def _let_go(self, unique, part):
        with contextlib.suppress(OSError):  # taken back by the kernel
            self._reply(unique, part or b"", errno.ENOENT if part is None else 0)

    def _hold(self, unique, part):
        with self._lock:
            if not self._go and (self.names or part is not None):
                self._waiting.append((unique, part))
                self.asked.set()
                return
        self._let_go(unique, part)

    def _read(self, unique, offset, size):
        self._hold(unique, self.data[offset:offset + size])
