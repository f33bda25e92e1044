"""The documents that repeat what programs say of themselves."""
import os
import re
import subprocess

import pytest
from lib import places

DOCS = places.ROOT / "docs"


def help_options(program):
    out = subprocess.run([places.BIN / program, "--help-options"], capture_output=True, text=True, check=True).stdout
    return re.findall(r"^#?([a-z0-9-]+):", out, re.M)


@pytest.mark.parametrize("script, page", [
    ("generate_options.sh", "configuration.md"), ("generate_metrics.sh", "metrics.md")])
def test_generated_page_is_what_the_programs_say(script, page):
    command = [os.fspath(DOCS / script), os.fspath(places.BIN)]
    now = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert now == (DOCS / page).read_text(), f"run docs/{script} again"


@pytest.mark.parametrize("program, sample", [
    ("cygnet-hub", "hub.yaml"), ("cygnet-proxy", "proxy.yaml"), ("cygnet-spawner-sandbox", "spawner.yaml")])
def test_sample_names_every_option_and_no_other(program, sample):
    text = (places.ROOT / "config" / sample).read_text()
    known = set(help_options(program))
    assert known <= set(re.findall(r"^(?:# ?)?([a-z0-9-]+):", text, re.M))
    assert set(re.findall(r"^([a-z0-9-]+):", text, re.M)) <= known


def help_files(program):
    """{file: keys in it}, as the program says."""
    out = subprocess.run([places.BIN / program, "--help-files"], capture_output=True, text=True, check=True).stdout
    parts = re.split(r"^## (\S+)$", out, flags=re.M)
    return {name: re.findall(r"^\| `([^`]+)` \|", text, re.M) for name, text in zip(parts[1::2], parts[2::2])}


@pytest.mark.parametrize("program", ["cygnet-hub", "cygnet-spawner-sandbox"])
def test_sample_shows_every_key_of_its_file(program):
    files = help_files(program)
    assert files
    for name, keys in files.items():
        if name == "stack.yaml":
            continue  # no sample of its own: the keys are those of a stack in profiles.yaml
        text = (places.ROOT / "config" / name).read_text()
        shown = set(re.findall(r"^[\s#-]*([A-Za-z0-9-]+):", text, re.M))
        # What is in a mount stands once, in templates.yaml.
        assert {key.split(".")[-1] for key in keys if "mounts[]" not in key or name == "templates.yaml"} <= shown, name


def test_links_between_documents_lead_somewhere():
    broken = []
    for page in [places.ROOT / "README.md", places.ROOT / "config/README.md", *DOCS.rglob("*.md")]:
        for target in re.findall(r"\]\(([^)#: ]+)\)", page.read_text()):
            if not (page.parent / target).exists():
                broken.append(f"{page.relative_to(places.ROOT)} -> {target}")
    assert broken == []
