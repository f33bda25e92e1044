#!/usr/bin/python3
"""Who may include whom: the table of folders. A folder not named here may hold no C."""

import functools
import os
import re
import subprocess

from csource import read, report, tracked

THIRD = {  # header or folder of headers -> the name used below
    "uv.h": "uv", "uv": "uv", "yaml.h": "yaml", "openssl": "openssl", "jansson.h": "jansson", "curl": "curl",
    "sqlite3.h": "sqlite", "zmq.h": "zmq", "wslay": "wslay", "seccomp.h": "seccomp", "check.h": "check",
    "zlib.h": "zlib", "microhttpd.h": "microhttpd",
}
WINGS = "base access offer link server signin api".split()
UNDER_HUB = "src/base src/daemon src/ipc src/http src/oidc src/store src/spark"
HUB = UNDER_HUB + " src/hub " + " ".join(
    f"src/hub/{wing}" for wing in WINGS)
HUB_BASE = "src/base src/daemon src/http"  # what the lowest wing stands on; a wing includes only those below it
KBASE = "src/base src/daemon src/http src/ipc "
KERNELS = KBASE + "kernels/base "  # what a part of the agent stands on; the parts do not know each other
# folder: our folders (or single headers) it may include beside itself and include/cygnet; third-party names after the bar.
TABLE = {
    "include/cygnet": "|",
    "src/base": "|",
    "src/daemon": "src/base | uv yaml curl",
    "src/ipc": "src/base src/daemon | uv",
    "src/http": "src/base src/daemon | uv microhttpd",
    "src/oidc": "src/base | openssl jansson",
    "src/store": "src/base | sqlite jansson",
    # The catalogue is a table of fields; those two headers know neither libuv nor libyaml.
    "src/spark": "src/base src/daemon/yaml.h src/daemon/yaml_fields.h | sqlite jansson",
    "src/hub": HUB + " | uv jansson openssl",
    "src/hub/base": HUB_BASE + " | jansson openssl",
    "src/hub/access": HUB_BASE + " src/ipc src/store src/hub/base | jansson",
    "src/hub/offer": "src/base src/daemon src/spark | uv jansson",
    "src/hub/link": UNDER_HUB + " src/hub/base src/hub/access src/hub/offer | uv jansson",
    "src/hub/server": UNDER_HUB + " src/hub/base src/hub/access src/hub/offer src/hub/link | uv jansson",
    "src/hub/signin": UNDER_HUB + " src/hub/base src/hub/access src/hub/offer src/hub/link src/hub/server | uv jansson",
    "src/hub/api": UNDER_HUB + " src/hub/base src/hub/access src/hub/offer src/hub/link src/hub/server src/hub/signin | uv jansson",
    "src/ctl": "src/base src/daemon src/http | uv jansson curl",
    "proxy": "src/base src/daemon src/http | uv openssl jansson",
    "spawner/core": "src/base src/daemon src/ipc | uv",
    "spawner/local": "src/base src/daemon src/ipc spawner/core | uv",
    "spawner/process": "src/base src/daemon spawner/core spawner/local | uv",
    "spawner/sandbox": "src/base src/daemon spawner/core spawner/local spawner/process | uv seccomp",
    "spawner/docker": "src/base src/daemon src/ipc spawner/core | uv curl jansson",
    "spawner/kubernetes": "src/base src/daemon src/ipc spawner/core | uv curl jansson",
    "spawner/init": "|",
    "kernels/base": KBASE + "| uv openssl wslay zlib",
    "kernels/contents": KERNELS + "| uv sqlite",
    "kernels/kernel": KERNELS + "| uv zmq openssl",
    "kernels/terminal": KERNELS + "| uv",
    "kernels/spark": KERNELS + "| uv",
    "kernels/data": KERNELS + "| uv curl",
    "kernels/pages": KERNELS + "kernels/contents | uv",
    "kernels/agent": KERNELS + "kernels/contents kernels/kernel kernels/terminal kernels/spark kernels/data kernels/pages | uv",
}
PURE = {"src/oidc": "sys/socket.h netdb.h fcntl.h dirent.h syslog.h"}  # no sockets, files, log


@functools.cache
def system_headers():
    """What the C library and the kernel's headers bring; the compiler's own are few and named."""
    files = subprocess.run(["dpkg", "-L", "libc6-dev", "linux-libc-dev"], capture_output=True, text=True).stdout
    own = "stdarg.h stdbool.h stddef.h stdint.h limits.h float.h stdalign.h stdnoreturn.h stdatomic.h"
    return set(re.findall(r"/usr/include/(?:x86_64-linux-gnu/|aarch64-linux-gnu/)?(\S+\.h)$", files, re.M)) | set(
        own.split())


def target(path, name):
    """The header of ours that an include names, or None."""
    for base in (os.path.dirname(path), "include", "src", "."):
        found = os.path.normpath(os.path.join(base, name))
        if os.path.exists(found):
            return found
    return None


def check(path):
    folder = os.path.dirname(path)
    if folder.startswith("tests/"):
        return
    if folder not in TABLE:
        yield f"{path}: no row for {folder} in tests/lint/lint_includes.py"
        return
    ours, third = (part.split() for part in TABLE[folder].split("|"))
    for number, line in enumerate(read(path).splitlines(), 1):
        match = re.match(r'\s*#\s*include\s*([<"])([^>"]+)[>"]', line)
        if not match:
            continue
        name = match.group(2)
        if match.group(1) == '"':
            found = target(path, name)
            other = found and os.path.dirname(found)
            if other not in [folder, "include/cygnet", *ours] and found not in ours:
                yield f'{path}:{number}: {folder} may not include "{name}" ({other or "not found"})'
            continue
        library = THIRD.get(name) or THIRD.get(name.split("/")[0] if "/" in name else "")
        if library is None and name not in system_headers():
            yield f"{path}:{number}: <{name}> is not libc's and not in the table"
        elif library is not None and library not in third:
            yield f"{path}:{number}: {folder} may not include {library}'s <{name}>"
        elif name in PURE.get(folder, "").split():
            yield f"{path}:{number}: {folder} is pure, it may not include <{name}>"


report([line for path in tracked("*.c", "*.h") for line in check(path)])
