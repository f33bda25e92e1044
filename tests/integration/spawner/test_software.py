"""The software tree as the start form sees it: stack.yaml of each stack, read by a child that may hang."""

import os

import pytest

from lib.daemon import wait_until
from lib.hub_rig import HubSite

SILENT = "The software tree does not answer."
GOOD = "label: Release 2026a\ndescription: From the tree\nkernels: [Python 3, R, Octave]\nspark: 4.9.9\nplatform: riscv\n"


class TreeSite(HubSite):
    """Both stacks are for everybody."""

    def make_web(self):
        super().make_web()
        text = self.profiles.read_text()
        assert "    groups: [physics, astro]\n" in text
        self.profiles.write_text(text.replace("    groups: [physics, astro]\n", ""))


@pytest.fixture
def tree(tmp_path):
    for name in ("2026a", "2025b"):
        (tmp_path / "tree/stacks" / name).mkdir(parents=True)
        (tmp_path / "tree/stacks" / name / "stack.yaml").write_text(GOOD.replace("2026a", name))
    return tmp_path / "tree/stacks"


@pytest.fixture
def make_site(tmp_path, daemons, tree):
    sites = []

    def make(*options):
        options = ["--software-tree", tree.parent, "--software-refresh", "200ms", "--software-timeout", "1s", *options]
        sites.append(TreeSite(tmp_path, daemons, options))
        return sites[-1]

    yield make
    for site in sites:
        site.close()


def stacks(browser, profile="standard"):
    form = browser.get("/hub/api/cygnet/form").json
    return {one["id"]: one for p in form["profiles"] if p["id"] == profile for one in p["stacks"]}


def wait_stack(browser, name, what, **fields):
    wait_until(lambda: {key: stacks(browser)[name][key] for key in fields} == fields, what)


def start(browser, **options):
    return browser.post("/hub/api/users/alice/server", {"user_options": {"profile": "standard", **options}})


def test_what_the_tree_says_is_on_the_form(make_site):
    browser = make_site().browser("alice")
    wait_stack(browser, "2026a", "the tree was read", label="Release 2026a", description="From the tree",
               kernels=["Python 3", "R", "Octave"], spark="4.9.9", platform="riscv", available=True, reason=None)


def test_what_the_tree_leaves_out_stands_in_the_profiles(make_site, tree):
    (tree / "2026a/stack.yaml").write_text("description: Only this\n")
    wait_stack(make_site().browser("alice"), "2026a", "the tree was read", description="Only this", label="2026a",
               spark="4.2.0", recommended=True)


def test_a_change_in_the_tree_is_seen_without_a_restart(make_site, tree):
    browser = make_site().browser("alice")
    wait_stack(browser, "2026a", "the tree was read", spark="4.9.9")
    (tree / "new").write_text(GOOD.replace("4.9.9", "5.0.0"))
    os.rename(tree / "new", tree / "2026a/stack.yaml")
    wait_stack(browser, "2026a", "the change", spark="5.0.0")


def make_hang(path):
    os.mkfifo(path)


def make_missing(_path):
    pass


def make_broken(path):
    path.write_text("label: [")


def make_unknown_key(path):
    path.write_text("label: x\nlable: y\n")


def make_wrong_kind(path):
    path.write_text("kernels: Python\n")


def make_huge(path):
    path.write_text("label: x\n#" + "x" * (2 << 20))


def make_long_text(path):
    path.write_text(f"label: {'x' * 5000}\n")


@pytest.mark.parametrize("make", [make_hang, make_missing, make_broken, make_unknown_key, make_wrong_kind, make_huge,
                                  make_long_text])
def test_a_stack_that_cannot_be_read_is_greyed_and_refused_while_others_start(make_site, tree, make):
    path = tree / "2026a/stack.yaml"
    path.unlink()
    make(path)
    site = make_site()
    browser = site.browser("alice")
    wait_stack(browser, "2026a", "the stack is greyed", available=False, reason=SILENT)
    refused = start(browser, stack="2026a")
    assert (refused.status, refused.json["cygnet"]["field"]) == (503, "stack")
    assert SILENT in refused.json["message"]
    assert site.spawner.specs == {}
    # The recommended stack is away: the other one is what a start without choices gets.
    wait_stack(browser, "2025b", "the other stack is there", available=True, platform="riscv")
    assert start(browser).status == 201
    assert [spec["stack"] for spec in site.spawner.specs.values()] == ["2025b"]


def test_a_stack_that_comes_back_is_offered_again(make_site, tree):
    path = tree / "2026a/stack.yaml"
    path.unlink()
    os.mkfifo(path)
    browser = make_site().browser("alice")
    wait_stack(browser, "2026a", "the stack is greyed", available=False)
    path.unlink()
    path.write_text(GOOD)
    wait_stack(browser, "2026a", "the stack is back", available=True, reason=None, platform="riscv")
    assert start(browser, stack="2026a").status == 201


def test_a_server_that_runs_stays_when_its_stack_goes_away(make_site, tree):
    site = make_site()
    browser = site.browser("alice")
    assert start(browser, stack="2026a").status == 201
    (tree / "2026a/stack.yaml").unlink()
    wait_stack(browser, "2026a", "the stack is greyed", available=False)
    site.kill_hub()
    site.hub = site.start()
    wait_until(lambda: browser.get("/hub/api/user").json["servers"][""]["cygnet"]["state"] == "running", "it runs")


def test_a_hanging_tree_does_not_hold_the_hub_s_end_up(make_site, tree):
    path = tree / "2026a/stack.yaml"
    path.unlink()
    os.mkfifo(path)
    site = make_site("--software-timeout", "10m")
    site.hub.stop()


@pytest.mark.parametrize("field, value", [
    ("stack", "1999z"), ("stack", 7), ("cluster", "nobody's"), ("cores", 64), ("cores", "1"), ("memory_mb", 1 << 20),
    ("memory_mb", 0), ("user_script", "/etc/passwd"), ("user_script", "../x"), ("home_packages", "yes"), ("profile", "root"),
])
def test_a_forged_answer_is_refused_by_its_name(make_site, field, value):
    site = make_site()
    refused = start(site.browser("alice"), **{field: value})
    assert (refused.status, refused.json["cygnet"]["field"]) == (400, field)
    assert site.spawner.specs == {}
