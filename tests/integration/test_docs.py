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


def test_links_between_documents_lead_somewhere():
    broken = []
    for page in [places.ROOT / "README.md", places.ROOT / "config/README.md", *DOCS.rglob("*.md")]:
        for target in re.findall(r"\]\(([^)#: ]+)\)", page.read_text()):
            if not (page.parent / target).exists():
                broken.append(f"{page.relative_to(places.ROOT)} -> {target}")
    assert broken == []
