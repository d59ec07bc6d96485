"""What is under `deploy/` can be read, is pinned, and opens nothing to the world."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

MILVUS = Path(__file__).resolve().parent.parent / "deploy" / "milvus"


def read(name: str) -> dict:
    return yaml.safe_load((MILVUS / name).read_text(encoding="utf-8"))


def test_the_compose_file_starts_one_pinned_server_for_this_machine_alone():
    read_file = read("docker-compose.yml")
    assert set(read_file) == {"services", "volumes"}
    (server,) = read_file["services"].values()
    name, version = server["image"].rsplit(":", 1)
    assert name == "milvusdb/milvus"
    assert version.startswith("v")
    assert version == read("values.yaml")["image"]["all"]["tag"]
    assert all(port.startswith("127.0.0.1:") for port in server["ports"])
    assert "19530" in server["ports"][0]
    assert server["healthcheck"]["test"][0] == "CMD"
    for volume in server["volumes"]:
        source = volume.split(":")[0]
        assert source in read_file["volumes"] or (MILVUS / source).is_file()


def test_the_store_inside_listens_to_no_one_else():
    found = read("etcd.yaml")
    assert found["listen-client-urls"] == found["advertise-client-urls"] == "http://127.0.0.1:2379"


def test_the_cluster_asks_for_a_token_and_speaks_tls():
    found = read("values.yaml")
    assert found["cluster"]["enabled"] is True
    inner = yaml.safe_load(found["extraConfigFiles"]["user.yaml"])
    assert inner["common"]["security"] == {"authorizationEnabled": True, "tlsMode": 1}
    (mount,) = found["proxy"]["volumeMounts"]
    assert inner["tls"]["serverPemPath"].startswith(mount["mountPath"])


@pytest.mark.parametrize("name", ["docker-compose.yml", "values.yaml"])
def test_it_says_that_it_was_not_run(name):
    assert "NOT RUN" in (MILVUS / name).read_text(encoding="utf-8")
