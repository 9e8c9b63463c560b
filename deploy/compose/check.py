#!/usr/bin/env python3
"""Holds compose.yml against the schema of Compose, against the files that it mounts, and against the
addresses that Prometheus and Grafana are told elsewhere.

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
