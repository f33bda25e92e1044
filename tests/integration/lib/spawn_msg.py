"""The messages between hub and spawner (include/cygnet/spawn_msg.h) as the tests write and read them."""

import struct

MAGIC, VERSION = 0x43594753, 2
HELLO, SPAWN, STOP, LIST, STAT, PING, REPLY, ITEM, STAGE, TAIL, GONE, TEMPLATE, HAND_OVER, METRICS, COUNTS = range(1, 16)
ADDRESSES = {0: None, 1: "unix", 2: "tcp"}
CAUSES = {1: "stopped", 2: "exited", 3: "signalled", 4: "memory", 5: "setup", 6: "unknown"}
ISOLATION = {1: "process", 2: "sandbox", 3: "sandbox-one-uid"}
_HEAD = "@IHHII"
_BODIES = {
    HELLO: ("64sIII256s", "engine isolation limits templates statement"),
    TEMPLATE: ("64s", "name"),
    SPAWN: ("17sQQ64s64s64s64s64s1024s65sQII1024s64s0Q", "id user_id user_made user name_before server template stack base_url credential memory cpu "
            "home_packages user_script cluster"),
    HAND_OVER: ("QQQ64s64s", "from_id to_id to_made from_name to_name"),
    STOP: ("17sI0I", "id grace"),
    STAT: ("17sI0I", "id grace"),
    LIST: ("", ""),
    PING: ("", ""),
    METRICS: ("", ""),
    COUNTS: ("30Q", "starts refused engine setup memory ended starting running stopping "
             + " ".join(f"{what}_{stage}" for what in ("done", "failed", "ms")
                        for stage in ("folders", "home", "limits", "container", "setup", "script", "agent"))),
    REPLY: ("i320sII108s", "code message address port where"),
    ITEM: ("17s64s64sIIIIQQQQIII108s0Q", "id user server state uid adopted processes started memory memory_limit cpu_us "
           "cpu address port where"),
    STAGE: ("17s32sII", "id name state ms"),
    TAIL: ("17sI8192s", "id length text"),
    GONE: ("17sIiQQ256s0Q", "id cause status memory_peak memory_limit message"),
}
NAMES = {kind: names.split() for kind, (_, names) in _BODIES.items()}


class Message:
    """A received message: its fields as attributes, texts as str."""

    def __init__(self, data):
        magic, version, self.type, length, self.request = struct.unpack_from(_HEAD, data)
        assert (magic, version, length) == (MAGIC, VERSION, len(data))
        values = struct.unpack(_HEAD + _BODIES[self.type][0], data)[5:]
        for name, value in zip(NAMES[self.type], values):
            if isinstance(value, bytes):
                value = value.split(b"\0")[0].decode(errors="replace")
            setattr(self, name, value)

    def __repr__(self):
        return str(vars(self))


def pack(kind, request, *values):
    form = _HEAD + _BODIES[kind][0]
    values = [value.encode() if isinstance(value, str) else value for value in values]
    return struct.pack(form, MAGIC, VERSION, kind, struct.calcsize(form), request, *values)
