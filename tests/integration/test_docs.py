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


def test_configuration_page_is_what_the_programs_say():
    script = os.fspath(DOCS / "generate_options.sh")
    now = subprocess.run([script, os.fspath(places.BIN)], capture_output=True, text=True, check=True).stdout
    assert now == (DOCS / "configuration.md").read_text(), "run docs/generate_options.sh again"


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
