#!/usr/bin/env python3
"""Holds compose.yml against the schema of Compose, against the files that it mounts, against the
addresses that Prometheus and Grafana are told elsewhere, and against the rights that lifesign needs.

    check.py SCHEMA

It needs PyYAML and jsonschema.
"""

import json
import pathlib
import sys

import jsonschema
import yaml

FOLDER = pathlib.Path(__file__).parent


def read(path):
    return yaml.safe_load((FOLDER / path).read_text())


def argument(service, name):
    found = [word for word in service["command"] if word.startswith(name + "=")]
    assert len(found) == 1, f"{name} stands {len(found)} times in {service['command']}"
    return found[0].split("=", 1)[1]


compose = read("compose.yml")
with open(sys.argv[1]) as schema:
    errors = list(jsonschema.Draft7Validator(json.load(schema)).iter_errors(compose))
assert not errors, [f"{list(error.path)}: {error.message}" for error in errors]
services = compose["services"]
mounted = {}
for name, service in services.items():
    for volume in service["volumes"]:
        source, path = volume.split(":")[:2]
        mounted[name, path] = source
        is_there = (FOLDER / source).exists() if source.startswith(".") else source in compose["volumes"]
        assert is_there, f"{name} mounts {source}, which is not there"
build = services["lifesign"]["build"]
assert (FOLDER / build["context"] / build["dockerfile"]).exists(), build

lifesign, prometheus, grafana = [services[name] for name in ["lifesign", "prometheus", "grafana"]]
rights = {"cap_drop": ["ALL"], "cap_add": ["NET_RAW"], "read_only": True}
for key, wanted in rights.items():
    assert lifesign.get(key) == wanted, f"lifesign: {key} is {lifesign.get(key)}, and not {wanted}"
for key in ["privileged", "user", "security_opt"]:
    assert key not in lifesign, f"lifesign: {key} is set"
restart = lifesign.get("restart", "")
assert restart.startswith("on-failure:"), f"lifesign: restart is {restart!r}, which may be for ever"
assert prometheus.get("read_only") is True, "prometheus: read_only is not true"
for name, service in services.items():
    assert service.get("network_mode") == "host", f"{name}: network_mode is not host"
address = grafana["environment"].get("GF_SERVER_HTTP_ADDR")
assert address == "127.0.0.1", f"grafana: GF_SERVER_HTTP_ADDR is {address}"
for name, path, source in [
    ("lifesign", argument(lifesign, "--state-dir"), "state"),
    ("prometheus", argument(prometheus, "--storage.tsdb.path"), "samples"),
    ("grafana", "/var/lib/grafana", "grafana"),
    ("grafana", "/etc/grafana/provisioning", "../grafana/provisioning"),
]:
    assert mounted.get((name, path)) == source, f"{name}: {source} is not mounted at {path}"

scrape = read("../prometheus/prometheus.yml")["scrape_configs"][0]
listen = argument(services["lifesign"], "--listen")
assert scrape["static_configs"][0]["targets"] == [listen], (scrape, listen)
source = read("../grafana/provisioning/datasources/lifesign.yml")["datasources"][0]["url"]
listen = argument(services["prometheus"], "--web.listen-address")
assert source == f"http://{listen}", (source, listen)
provider = read("../grafana/provisioning/dashboards/lifesign.yml")["providers"][0]
assert ("grafana", provider["options"]["path"]) in mounted, mounted
for service, option in [("lifesign", "--config"), ("prometheus", "--config.file")]:
    path = argument(services[service], option)
    parents = [path, str(pathlib.PurePosixPath(path).parent)]
    assert any((service, parent) in mounted for parent in parents), f"nothing is mounted at {path}"
print("compose.yml is well")
