#!/usr/bin/env python3
"""Makes an image of a static lifesign: an OCI image layout (image-spec 1.1) in a tar, of one layer.

    layout.py BINARY PROCESSOR VERSION OUTPUT

The binary has CAP_NET_RAW as a file capability, so that a user without rights may open raw sockets
where the engine grants NET_RAW. Where it does not, the binary starts all the same, and says so: it
is permitted and not effective. The time of everything is SOURCE_DATE_EPOCH.
"""

import datetime
import gzip
import hashlib
import io
import json
import os
import struct
import sys
import tarfile

USER = 65532
# struct vfs_cap_data (linux/capability.h), revision 2, without its flag `effective`: permitted CAP_NET_RAW (13).
NET_RAW = struct.pack("<5I", 0x02000000, 1 << 13, 0, 0, 0)
EPOCH = int(os.environ["SOURCE_DATE_EPOCH"])


def add(tar, name, data=None, mode=0o755, owner=0, headers=None):
    entry = tarfile.TarInfo(name)
    entry.mtime = EPOCH
    entry.mode = mode
    entry.uid = entry.gid = owner
    entry.pax_headers = headers or {}
    if data is None:
        entry.type = tarfile.DIRTYPE
        tar.addfile(entry)
    else:
        entry.size = len(data)
        tar.addfile(entry, io.BytesIO(data))


def packed(fill):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as tar:
        fill(tar)
    return buffer.getvalue()


def layer(binary):
    def fill(tar):
        capability = {"SCHILY.xattr.security.capability": NET_RAW.decode("utf-8", "surrogateescape")}
        with open(binary, "rb") as file:
            add(tar, "lifesign", file.read(), headers=capability)
        for folder in ["etc", "etc/lifesign", "var", "var/lib"]:
            add(tar, folder)
        add(tar, "var/lib/lifesign", mode=0o700, owner=USER)
        with open("targets.toml", "rb") as file:
            add(tar, "etc/lifesign/targets.toml", file.read(), mode=0o644)

    return packed(fill)


def main(binary, processor, version, output):
    blobs = {}

    def blob(kind, data):
        digest = hashlib.sha256(data).hexdigest()
        blobs[digest] = data
        return {"mediaType": kind, "digest": f"sha256:{digest}", "size": len(data)}

    plain = layer(binary)
    kind = "application/vnd.oci.image.layer.v1.tar+gzip"
    layer_blob = blob(kind, gzip.compress(plain, mtime=0))
    created = datetime.datetime.fromtimestamp(EPOCH, datetime.timezone.utc).isoformat()
    config = {
        "architecture": {"x86_64": "amd64", "aarch64": "arm64"}[processor],
        "os": "linux",
        "created": created.replace("+00:00", "Z"),
        "config": {
            "User": f"{USER}:{USER}",
            "Entrypoint": ["/lifesign"],
            "Cmd": [
                "run",
                "--config=/etc/lifesign/targets.toml",
                "--state-dir=/var/lib/lifesign",
                "--listen=:17545",
            ],
            "ExposedPorts": {"17545/tcp": {}},
            "Volumes": {"/var/lib/lifesign": {}},
            "StopSignal": "SIGTERM",
            "Labels": {
                "org.opencontainers.image.title": "lifesign",
                "org.opencontainers.image.version": version,
                "org.opencontainers.image.licenses": "MIT OR Apache-2.0",
            },
        },
        "rootfs": {"type": "layers", "diff_ids": ["sha256:" + hashlib.sha256(plain).hexdigest()]},
    }
    config_blob = blob("application/vnd.oci.image.config.v1+json", json.dumps(config).encode())
    manifest = {
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": config_blob,
        "layers": [layer_blob],
    }
    manifest_blob = blob(manifest["mediaType"], json.dumps(manifest).encode())
    manifest_blob["annotations"] = {"org.opencontainers.image.ref.name": version}
    index = {"schemaVersion": 2, "manifests": [manifest_blob]}

    def fill(tar):
        add(tar, "oci-layout", b'{"imageLayoutVersion":"1.0.0"}', mode=0o644)
        add(tar, "index.json", json.dumps(index).encode(), mode=0o644)
        for folder in ["blobs", "blobs/sha256"]:
            add(tar, folder)
        for digest, data in sorted(blobs.items()):
            add(tar, f"blobs/sha256/{digest}", data, mode=0o644)

    with open(output, "wb") as file:
        file.write(packed(fill))


main(*sys.argv[1:])
