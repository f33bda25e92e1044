"""What the hub counts, read by the parser of the Prometheus project; and who may read it."""

import concurrent.futures
import os
import socket
import subprocess

import pytest

from lib import hub_rig, places
from lib.hub_rig import make_site, site, wait_state  # noqa: F401  two are fixtures
from lib.prometheus import parse
from lib.spawn_msg import METRICS

SERVER = "/hub/api/users/alice/server"


def scrape(site):
    token = site.token.read_text().strip()
    response = site.browser().ask("GET", "/hub/metrics", headers={"Authorization": f"token {token}"}, cookie=False)
    assert response.status == 200
    assert response.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    return parse(response.text)


def wait_connected(site):
    """The hub is ready before its spawner is connected; what is asked for until then asks no spawner."""
    assert site.browser().get("/hub/health?wait=1", cookie=False).status == 200


def ctl(site, *words, uid=None):
    command = [places.BIN / "cygnetctl", "metrics", "--run-dir", site.run, *words]
    if uid is not None:
        command = ["setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups", *command]
    return subprocess.run(command, capture_output=True, text=True)


def test_a_start_a_failure_and_a_stop_are_counted(site):
    alice = site.browser("alice")
    assert alice.post(SERVER, {}).status == 201
    found = scrape(site)
    assert found["jupyterhub_running_servers",] == found["cygnet_hub_servers", "running"] == 1
    assert found["jupyterhub_total_users",] == found["cygnet_hub_sessions",] == 1
    assert found["jupyterhub_active_users", "24h"] == found["jupyterhub_active_users", "30d"] == 1
    assert found["jupyterhub_server_spawn_duration_seconds_count", "success"] == 1
    assert found["jupyterhub_server_spawn_duration_seconds_bucket", "success", "+Inf"] == 1
    assert found["cygnet_hub_start_stage_seconds_count", "queue"] == found["cygnet_hub_start_stage_seconds_count", "route"] == 1
    assert found["jupyterhub_proxy_add_duration_seconds_count", "success"] == 1
    assert found["jupyterhub_proxy_add_duration_seconds_count", "failure"] == 0
    assert found["jupyterhub_server_spawn_duration_seconds_count", "throttled"] == 0
    assert found["jupyterhub_hub_startup_duration_seconds_count",] == 1
    assert 0 < found["jupyterhub_hub_startup_duration_seconds_sum",] < 60
    assert found["cygnet_hub_table_push_seconds_count",] >= 2
    assert found["cygnet_hub_store_commit_seconds_count",] > 0 == found["cygnet_hub_store_commit_failures_total",]
    assert found["cygnet_hub_loop_turn_seconds_count",] > 0
    assert found["process_resident_memory_bytes",] > 1 << 20
    handler = "jupyterhub.apihandlers.users.UserServerAPIHandler"
    assert found["jupyterhub_request_duration_seconds_count", "POST", handler, "201"] == 1
    assert found["jupyterhub_request_duration_seconds_count", "POST", "jupyterhub.handlers.login.LoginHandler", "200"] == 1
    assert alice.delete(SERVER).status == 204
    site.spawner.on_spawn = lambda spawner, spec: spawner.gone(spec, hub_rig.SETUP, message="no")
    assert alice.post(SERVER, {}).status == 500
    wait_state(alice, "stopped")
    found = scrape(site)
    assert found["cygnet_hub_starts_total",] == 2
    assert found["jupyterhub_server_stop_seconds_count", "success"] >= 1
    assert found["jupyterhub_server_spawn_duration_seconds_count", "failure"] == 1
    assert sum(value for key, value in found.items() if key[:2] == ("cygnet_hub_start_failures_total", "start_failed")) == 1


def test_a_start_that_finds_the_queue_full_is_counted_as_throttled(make_site):  # noqa: F811
    site = make_site("--queue-max", "1")
    alice, bob = site.browser("alice"), site.browser("bob")
    site.lose_spawner()
    with concurrent.futures.ThreadPoolExecutor() as pool:
        first = pool.submit(alice.post, SERVER, {})
        wait_state(alice, "queued")
        assert bob.post(SERVER.replace("alice", "bob"), {}).status == 429
        found = scrape(site)
        assert found["jupyterhub_server_spawn_duration_seconds_count", "throttled"] == 1
        assert found["cygnet_hub_starts_total",] == 1
        site.spawner.listen()
        assert first.result().status == 201


def test_what_the_spawner_counted_is_shown(site):
    wait_connected(site)
    found = scrape(site)
    assert found["cygnet_spawner_up", "0"] == 1
    assert found["cygnet_spawner_start_failures_total", "0", "memory"] == 4
    assert found["cygnet_spawner_servers", "0", "stopping"] == 8
    assert found["cygnet_spawner_start_stages_total", "0", "agent", "success"] == 15
    assert found["cygnet_spawner_start_stages_total", "0", "agent", "failure"] == 22
    assert found["cygnet_spawner_start_stage_seconds_total", "0", "agent"] == 0.029


def test_a_spawner_that_does_not_respond_is_shown_as_down_beside_the_rest(site):
    wait_connected(site)
    site.spawner.counts = None
    found = scrape(site)
    assert found["cygnet_spawner_up", "0"] == 0 == found["cygnet_hub_sessions",]
    assert ("cygnet_spawner_starts_total", "0") not in found
    site.spawner.counts = range(30)
    assert scrape(site)["cygnet_spawner_up", "0"] == 1


def test_a_scraper_that_leaves_while_a_spawner_is_asked_does_no_harm(site):
    wait_connected(site)
    site.spawner.counts = None
    for _ in range(3):
        with socket.socket(socket.AF_UNIX) as sock:
            sock.connect(str(site.run / "hub/control.sock"))
            sock.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
            site.spawner.wait(METRICS)
    site.spawner.counts = range(30)
    assert scrape(site)["cygnet_spawner_up", "0"] == 1


def test_only_who_may_read_metrics_reads_them(site):
    assert site.browser("alice").get("/hub/metrics").status == 403
    refused = "jupyterhub_request_duration_seconds_count", "GET", "jupyterhub.handlers.metrics.MetricsHandler", "403"
    assert scrape(site)[refused] == 1
    assert site.browser().get("/hub/metrics", cookie=False).status == 403


def test_cygnetctl_reads_the_control_socket(site):
    told = ctl(site)
    assert told.returncode == 0, told.stderr
    assert parse(told.stdout)["jupyterhub_running_servers",] == 0
    assert "no daemon 'proxy/x'" in ctl(site, "proxy/x").stderr
    assert ctl(site, "proxy/7").returncode == 1


@pytest.mark.skipif(os.geteuid() != 0, reason="needs another uid")
def test_another_uid_is_refused_by_the_socket_and_by_its_credential(site):
    path = site.run / "hub/control.sock"
    for folder in (site.run, site.run / "hub"):
        folder.chmod(0o755)
    assert path.stat().st_mode & 0o777 == 0o600
    assert "Permission denied" in ctl(site, uid=65534).stderr
    path.chmod(0o666)
    refused = ctl(site, uid=65534)
    assert refused.returncode == 1 and "403" in refused.stderr
