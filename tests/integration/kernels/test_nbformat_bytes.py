"""Notebooks pass through our reader and writer byte for byte as through Python's nbformat: 300 that are made
from a seed, and all that nbformat's own source package has for its tests."""

import json
import pathlib
import shutil
import subprocess

import pytest
from lib import places

SEED, COUNT = 20260131, 300
ORACLE = places.ROOT / "tests/support/nb_oracle.py"


def oracle(*args):
    subprocess.run([places.prefix("jupyter") / "bin/python", ORACLE, *map(str, args)], check=True)


def rewrite(files, *options):
    subprocess.run([places.TEST_BIN / "nb_rewrite", *options, *map(str, files)], check=True)


@pytest.fixture(scope="module")
def generated(file_tmp):
    oracle("generate", file_tmp, SEED, COUNT)
    files = sorted(file_tmp.glob("gen-*.ipynb"))
    assert len(files) == COUNT
    oracle("expect", *files)
    rewrite(files)
    return files


@pytest.fixture(scope="module")
def samples(file_tmp):
    folder = file_tmp / "samples"
    folder.mkdir()
    found = sorted(places.prefix("nbsamples").rglob("*.ipynb"))
    assert len(found) >= 15
    files = [shutil.copyfile(path, folder / f"{i:02}-{path.name}") for i, path in enumerate(found)]
    oracle("expect", *files)
    rewrite(files)
    return files


def beside(path, suffix):
    other = pathlib.Path(str(path) + suffix)
    return other.read_bytes() if other.exists() else None


def differing(files, ours, wanted):
    return [path.name for path in files
            if beside(path, ".unwritable") is None and beside(path, ours) != beside(path, wanted)]


def presence_differs(files, ours, wanted):
    return [path.name for path in files if (beside(path, ours) is None) != (beside(path, wanted) is None)]


def test_generated_notebooks_are_written_as_nbformat_does(generated):
    assert sum(beside(path, ".out") is not None for path in generated) > COUNT * 0.9
    assert differing(generated, ".out", ".want") == []


def test_sample_notebooks_are_written_as_nbformat_does(samples):
    assert sum(beside(path, ".out") is not None for path in samples) >= 12
    assert differing(samples, ".out", ".want") == []


def test_the_same_notebooks_are_unreadable(generated, samples):
    assert presence_differs(generated + samples, ".err", ".wanterr") == []


def test_the_same_notebooks_are_invalid(generated, samples):
    assert any(beside(path, ".bad") for path in generated)
    assert presence_differs(generated + samples, ".bad", ".wantbad") == []


def test_what_is_written_is_written_the_same_again(generated):
    once = [path for path in generated if beside(path, ".out") is not None]
    again = [shutil.copyfile(f"{path}.out", f"{path}.again") for path in once]
    rewrite(again)
    assert [path.name for path in once if beside(path, ".again.out") != beside(path, ".out")] == []


def test_signed_bytes_are_those_of_nbformat(generated, samples):
    files = [path for path in generated + samples if beside(path, ".wantsigned") is not None]
    assert len(files) > COUNT * 0.7
    rewrite(files, "--form", "signed")
    assert differing(files, ".out", ".wantsigned") == []
    rewrite(files)


def test_clients_get_the_same_values(generated, samples):
    files = [path for path in generated + samples if beside(path, ".wantclient") is not None]
    rewrite(files, "--form", "client")
    different = [path.name for path in files
                 if repr(json.loads(beside(path, ".out"), object_hook=sort)) !=
                 repr(json.loads(beside(path, ".wantclient"), object_hook=sort))]
    rewrite(files)
    assert different == []


def sort(obj):
    return dict(sorted(obj.items()))
