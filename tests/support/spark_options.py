#!/usr/bin/env python3
"""Writes PREFIX/share/cygnet/spark-options.json: the options that the Spark of this Python knows, from Spark's own registry.

Use: PREFIX/bin/python spark_options.py [FILE]. Run once when a software stack is built; the hub reads the file for the
completion of names and for what it says of unknown names and wrong values. Needs a JVM.
"""

import json
import os
import pathlib
import re
import sys

# Objects whose fields are entries: they register themselves when they are first touched.
OBJECTS = [f"org.apache.spark.{name}$" for name in (
    "internal.config.package", "internal.config.Deploy", "internal.config.History", "internal.config.Kryo",
    "internal.config.Network", "internal.config.Python", "internal.config.R", "internal.config.ResourceProfile",
    "internal.config.Status", "internal.config.Streaming", "internal.config.UI", "internal.config.Worker",
    "executor.ExecutorLogUrlHandler", "deploy.yarn.config.package", "deploy.k8s.Config",
    "sql.internal.SQLConf", "sql.internal.StaticSQLConf", "sql.connect.config.Connect", "sql.hive.HiveUtils")]
CATEGORIES = [
    ("spark.sql.streaming.", "Structured Streaming"), ("spark.sql.adaptive.", "Adaptive execution"), ("spark.sql.", "SQL"),
    ("spark.connect.", "Spark Connect"), ("spark.ui.", "UI and event log"), ("spark.eventLog.", "UI and event log"),
    ("spark.history.", "UI and event log"), ("spark.dynamicAllocation.", "Dynamic allocation"),
    ("spark.executor.", "Executors"), ("spark.executorEnv", "Executors"), ("spark.driver.", "Driver"),
    ("spark.shuffle.", "Shuffle"), ("spark.reducer.", "Shuffle"), ("spark.memory.", "Memory"), ("spark.storage.", "Memory"),
    ("spark.cleaner.", "Memory"), ("spark.kryo", "Compression and serialisation"), ("spark.io.", "Compression and serialisation"),
    ("spark.serializer", "Compression and serialisation"), ("spark.network.", "Network"), ("spark.rpc.", "Network"),
    ("spark.port.", "Network"), ("spark.locality.", "Scheduling"), ("spark.scheduler.", "Scheduling"),
    ("spark.speculation", "Scheduling"), ("spark.task.", "Scheduling"), ("spark.stage.", "Scheduling"),
    ("spark.excludeOnFailure.", "Scheduling"), ("spark.python.", "Python"), ("spark.pyspark.", "Python"), ("spark.r.", "R"),
    ("spark.yarn.", "YARN"), ("spark.kubernetes.", "Kubernetes"), ("spark.streaming.", "DStreams"),
    ("spark.authenticate", "Security"), ("spark.ssl.", "Security"), ("spark.acls.", "Security"), ("spark.admin.", "Security"),
    ("spark.kerberos.", "Security"), ("spark.security.", "Security"), ("spark.redaction.", "Security"),
    ("spark.master.", "Standalone"), ("spark.worker.", "Standalone"), ("spark.deploy.", "Standalone"),
    ("spark.jars", "Files and packages"), ("spark.files", "Files and packages"), ("spark.submit.", "Files and packages"),
    ("spark.archives", "Files and packages"), ("spark.metrics.", "Metrics"), ("spark.plugins", "Metrics"),
]
# What Spark reads by name without an entry, or hands on.
MORE = ["spark.master", "spark.app.name", "spark.app.id", "spark.home", "spark.driver.resource", "spark.hadoop"]
PROBE = "no such value"


def category(name):
    return next((text for prefix, text in CATEGORIES if name.startswith(prefix)), "Application")


def reason(call):
    """The first line of what a Java call throws, or None."""
    try:
        call()
    except Exception as err:
        java = getattr(err, "java_exception", None)
        return str(java.getMessage() if java is not None else err)
    return None


def kind(convert):
    """(type, allowed values) from how the entry's own converter refuses a value that cannot be right."""
    said = reason(lambda: convert(PROBE)) or ""
    word = re.search(r"should be (?:a/an )?'?(boolean|int|long|double|bytes|time)|(Size|Time) must be", said)
    if word:
        names = {"long": "int", "Size": "bytes", "Time": "time"}
        found = word.group(1) or word.group(2)
        return names.get(found, found), []
    listed = re.search(r"should be one of '?(.*?)(?:'\.|,? but was)", said)
    values = [value.strip() for value in listed.group(1).split(",")] if listed else []
    return "text", [value for value in values if re.fullmatch(r"[\w.-]{1,60}", value)][:32]


def entries(jvm):
    """Every public entry of the registry: Java objects by name."""
    gateway_class = jvm.java.lang.Class
    for name in OBJECTS:
        reason(lambda name=name: gateway_class.forName(name))
    registry = gateway_class.forName("org.apache.spark.internal.config.ConfigEntry$")
    module = registry.getField("MODULE$").get(None)
    field = next(f for f in registry.getDeclaredFields() if "knownConfigs" in f.getName())
    field.setAccessible(True)
    known = field.get(module)
    return {key: known.get(key) for key in known.keySet()}


def describe(name, entry):
    found, values = kind(entry.valueConverter().apply)
    default = entry.defaultValueString()
    one = {"name": name, "category": category(name), "type": found,
           "default": None if default in ("<undefined>", "<value of spark.undefined>") else default[:1000],
           "doc": re.sub(r"\s+", " ", entry.doc() or "").strip()[:1500] or None, "since": entry.version() or None}
    return {**one, "values": values} if values else one


def main(path):
    from pyspark.java_gateway import launch_gateway

    os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
    import pyspark

    gateway = launch_gateway()
    try:
        all_entries = entries(gateway.jvm)
        options = [describe(name, entry) for name, entry in sorted(all_entries.items())
                   if re.fullmatch(r"spark\.[A-Za-z0-9._-]{1,240}", name)]
        options += [{"name": name, "category": category(name), "type": "text"} for name in MORE if name not in all_entries]
        text = json.dumps({"version": pyspark.__version__, "options": options}, ensure_ascii=False, separators=(",", ":"))
    finally:
        gateway.shutdown()
        gateway.proc.stdin.close()
        gateway.proc.wait()
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    part.write_text(text)
    part.chmod(0o644)
    part.rename(path)
    print(f"{len(options)} options of Spark {pyspark.__version__}, {len(text)} bytes: {path}")


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(sys.prefix, "share/cygnet/spark-options.json")))
