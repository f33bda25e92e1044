"""Run by a Python that has nbformat: makes notebooks from a seed and says what nbformat does with notebooks.

    nb_oracle.py generate DIR SEED COUNT     DIR/gen-NNN.ipynb
    nb_oracle.py expect FILE...              FILE.want, or FILE.wanterr when it cannot be read; FILE.wantbad when
                                             it is invalid; FILE.unwritable when nbformat opens it but cannot
                                             save it (we can); FILE.wantsigned, FILE.wantclient the other forms
Ids that nbformat makes at random count up here: 00000001, 00000002, … in each file.
"""

import json
import logging
import random
import re
import struct
import sys
import warnings

import nbformat
import nbformat.sign
import nbformat.v4.convert
import nbformat.validator

BREAKS = ["\n", "\r", "\r\n", "\v", "\f", "\x1c", "\x1d", "\x1e", "\x85", "\u2028", "\u2029", "\x1f", "\x0e"]
PIECES = ["", "a", "print(1)", " ", "\t", "\"", "\\", "/", "é", "日本", "😀", "\x00", "\x7f", "\xa0", "\ufeff",
          "\ud83d", "\ude00", "</script>", "x" * 40, "# title", "\u00c2\u0085"]
MIMES = ["text/plain", "text/html", "image/png", "image/svg+xml", "application/javascript", "application/json",
         "application/vnd.plotly.v1+json", "application/x+xml", "text/x+json", "application/pdf", "text/", "weird"]


def text(rng):
    return "".join(rng.choice(rng.choice([BREAKS, PIECES, PIECES])) for _ in range(rng.randrange(8)))


def number_text(rng):
    kind = rng.randrange(8)
    if kind == 0:
        return str(rng.randrange(-10**rng.randrange(1, 40), 10**rng.randrange(1, 40)))
    if kind == 1:
        return rng.choice(["-0", "-0.0", "0.0", "0e5", "1e5", "1E-7", "1e400", "-1e400", "1e-400", "NaN", "Infinity",
                           "-Infinity", "1e16", "1e15", "123456789012345678", "0.1", "1.0", "5e-324", "2.5e-323",
                           "1.7976931348623157e308", "9007199254740993.0", "0.00001", "0.0001", "100e-2",
                           "1.50000000000000000000", "123456789.123456789123456789", "4.35", "2.675", "1e22", "1e23"])
    if kind == 2:
        value = struct.unpack("<d", rng.randbytes(8))[0]
        return repr(value) if value == value and abs(value) != float("inf") else "1.5"
    if kind == 3:
        return "%.*e" % (rng.randrange(0, 25), rng.uniform(-1, 1) * 10.0**rng.randrange(-300, 300))
    if kind == 4:
        return "%.*f" % (rng.randrange(1, 20), rng.uniform(-1e6, 1e6))
    if kind == 5:
        return repr(2.0**rng.randrange(-1074, 1024))
    if kind == 6:
        return "%.17g" % rng.random()
    return str(rng.randrange(10))


def value(rng, depth=0):
    kind = rng.randrange(9 if depth < 3 else 6)
    if kind < 2:
        return text(rng)
    if kind < 4:
        return "@num:" + number_text(rng) + "@"
    if kind == 4:
        return rng.choice([True, False, None])
    if kind == 5:
        return rng.choice([{}, [], ""])
    if kind == 6:
        return [value(rng, depth + 1) for _ in range(rng.randrange(4))]
    return {rng.choice([text(rng), "trusted", "id", "source", "b", "a", "ä", "A"]): value(rng, depth + 1)
            for _ in range(rng.randrange(5))}


def lines(rng, source):
    """A multi-line string as files hold it, or badly split."""
    how = rng.randrange(4)
    if how == 0:
        return source
    if how == 1:
        return source.splitlines(True)
    if how == 2:
        return [source]
    return [source[i:i + 3] for i in range(0, len(source), 3)]


def bundle(rng):
    data = {}
    for mime in rng.sample(MIMES, rng.randrange(5)):
        json_mime = mime.endswith("json") and mime.startswith("application/")
        data[mime] = value(rng) if json_mime else lines(rng, text(rng))
    return data


def output(rng):
    kind = rng.choice(["stream", "display_data", "execute_result", "error"])
    if kind == "stream":
        return {"output_type": kind, "name": rng.choice(["stdout", "stderr"]), "text": lines(rng, text(rng))}
    if kind == "error":
        return {"output_type": kind, "ename": text(rng), "evalue": text(rng), "traceback": [text(rng), text(rng)]}
    out = {"output_type": kind, "data": bundle(rng), "metadata": {"m": value(rng)}}
    if kind == "execute_result":
        out["execution_count"] = rng.choice([None, 0, 7])
    return out


def cell(rng, minor, number):
    kind = rng.choice(["code", "code", "markdown", "raw"])
    made = {"cell_type": kind, "metadata": {}, "source": lines(rng, text(rng))}
    if rng.random() < 0.5:
        made["metadata"] = {rng.choice(["x", "trusted", text(rng)]): value(rng) for _ in range(3)}
        made["metadata"].pop("name", None)
    if kind == "code":
        made["outputs"] = [output(rng) for _ in range(rng.randrange(4))]
        made["execution_count"] = rng.choice([None, 3])
    elif rng.random() < 0.4:
        made["attachments"] = {"a.png": bundle(rng), text(rng): bundle(rng)}
    if minor >= 5:
        made["id"] = "cell-%d" % number
    return made


def spoil(rng, notebook):
    """One fault that leaves it readable."""
    target = rng.choice(notebook["cells"] or [notebook])
    fault = rng.randrange(8)
    if fault == 0:
        target["extra"] = value(rng)
    elif fault == 1:
        target["cell_type"] = "heading"
    elif fault == 2 and target.get("outputs"):
        rng.choice(target["outputs"])["extra"] = 1
    elif fault == 3 and target.get("outputs"):
        del rng.choice(target["outputs"])["output_type"]
    elif fault == 4:
        notebook["metadata"]["kernelspec"] = {"name": "x"}
    elif fault == 5:
        target["source"] = 5
    elif fault == 6:
        target["metadata"]["tags"] = ["a", "a"]
    else:
        target.pop("execution_count", None)


def generate(folder, seed, count):
    for i in range(count):
        rng = random.Random(f"{seed}/{i}")
        minor = rng.choice([0, 1, 2, 3, 4, 4, 5, 5, 5, 5])
        notebook = {"cells": [cell(rng, minor, n) for n in range(rng.randrange(6))],
                    "metadata": {"a": value(rng), "signature": "x", "orig_nbformat": 2} if rng.random() < 0.7 else {},
                    "nbformat": 4, "nbformat_minor": minor}
        if rng.random() < 0.3:
            notebook["metadata"]["language_info"] = {"name": "python", "version": "3.11"}
        if minor >= 5 and rng.random() < 0.2 and notebook["cells"]:
            if rng.random() < 0.5:
                del rng.choice(notebook["cells"])["id"]
            else:
                notebook["cells"][-1]["id"] = notebook["cells"][0]["id"]
        if rng.random() < 0.25:
            spoil(rng, notebook)
        body = json.dumps(notebook, ensure_ascii=rng.random() < 0.5, indent=rng.choice([None, 1, 4]),
                          sort_keys=rng.random() < 0.5)
        body = re.sub(r'"@num:([^@"]*)@"', r"\1", body)
        # Lone surrogates can only be in a file as escapes.
        body = re.sub("[\ud800-\udfff]", lambda m: "\\u%04x" % ord(m.group()), body)
        with open(f"{folder}/gen-{i:03}.ipynb", "w", encoding="utf-8", newline="") as file:
            file.write(body)


def to_bytes(written):
    """Python cannot write lone surrogates to a file; as escapes they survive."""
    return re.sub("[\ud800-\udfff]", lambda m: "\\u%04x" % ord(m.group()), written).encode()


def counter():
    state = {"n": 0}

    def next_id():
        state["n"] += 1
        return "%08x" % state["n"]
    return next_id, state


def save(path, data):
    with open(path, "wb") as file:
        file.write(data)


def expect(path):
    next_id, state = counter()
    nbformat.v4.convert.random_cell_id = nbformat.validator.generate_corpus_id = next_id
    with open(path, encoding="utf-8", newline="") as file:
        body = file.read()
    problems = {}
    try:
        notebook = nbformat.reads(body, as_version=4, capture_validation_error=problems)
        signed = b"".join(part.encode("utf-8", "surrogatepass") for part in parts(notebook))
    except Exception as error:  # noqa: BLE001 - whatever nbformat raises is the expectation
        save(path + ".wanterr", repr(error).encode())
        return
    try:
        written = nbformat.writes(notebook)
        save(path + ".want", to_bytes(written if written.endswith("\n") else written + "\n"))
    except AttributeError as error:
        save(path + ".unwritable", repr(error).encode())
    if state["n"] == 0:
        save(path + ".wantsigned", signed)
    for code in notebook.cells:
        if code.get("cell_type") == "code":
            code.metadata["trusted"] = False
    save(path + ".wantclient", json.dumps(notebook, sort_keys=True).encode())
    if problems:
        save(path + ".wantbad", str(problems["ValidationError"]).encode())


def parts(obj):
    """nbformat.sign's yield_everything, with lone surrogates let through."""
    if isinstance(obj, dict):
        for key in sorted(obj):
            yield key
            yield from parts(obj[key])
    elif isinstance(obj, (list, tuple)):
        for element in obj:
            yield from parts(element)
    else:
        yield obj if isinstance(obj, str) else str(obj)


def main():
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    if sys.argv[1] == "generate":
        generate(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
    else:
        for path in sys.argv[2:]:
            expect(path)


if __name__ == "__main__":
    main()
