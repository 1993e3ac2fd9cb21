"""The files in `deploy/` are valid, as far as programs on this machine can check."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from store.settings import Settings
from tests.conftest import ROOT
from tests.project.sources import pyproject

DEPLOY = ROOT / "deploy"


def test_every_setting_in_it_exists() -> None:
    named = {
        (path.name, name)
        for path in DEPLOY.iterdir()
        for name in re.findall(r"\bATTEST_([A-Z_]+)", path.read_text(encoding="utf-8"))
    }
    assert named
    assert {(place, name) for place, name in named if name.lower() not in Settings.model_fields} == set()


def test_compose_and_kubernetes_run_the_same_images_with_the_same_settings() -> None:
    compose = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))["services"]
    replicas = yaml.safe_load((DEPLOY / "compose-replicas.yaml").read_text(encoding="utf-8"))["services"]
    assert replicas["chroma"]["image"] == compose["chroma"]["image"]
    assert replicas["nginx"]["image"] == compose["nginx"]["image"]
    manifests = list(yaml.safe_load_all((DEPLOY / "kubernetes.yaml").read_text(encoding="utf-8")))
    assert all({"apiVersion", "kind", "metadata"} <= each.keys() for each in manifests)
    containers = {
        container["name"]: container
        for each in manifests
        if each["kind"] in {"Deployment", "StatefulSet"}
        for container in each["spec"]["template"]["spec"]["containers"]
    }
    assert compose["chroma"]["image"] == containers["chroma"]["image"]
    assert {each["name"] for each in containers["attest"]["env"]} == replicas["attest"]["environment"].keys()
    pinned = re.search(r"^chromadb==(.+)$", (ROOT / "constraints.txt").read_text(encoding="utf-8"), re.MULTILINE)
    assert pinned is not None
    assert compose["chroma"]["image"].endswith(f":{pinned[1]}"), "server and client are of one version"
    assert containers["attest"]["image"].endswith(f":{pyproject()['project']['version']}")


def test_the_image_gets_every_package_that_is_installed() -> None:
    copied = set(re.findall(r"^COPY (\w+) \1$", (DEPLOY / "Dockerfile").read_text(encoding="utf-8"), re.MULTILINE))
    included = pyproject()["tool"]["setuptools"]["packages"]["find"]["include"]
    assert copied == {name.rstrip("*") for name in included}


@pytest.mark.parametrize("unit", ["attest.service", "attest@.service", "attest-workers.service", "chroma.service"])
def test_systemd_accepts_the_units(unit: str) -> None:
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("systemd-analyze isn't installed.")
    done = subprocess.run([program, "verify", DEPLOY / unit], capture_output=True, text=True, check=False)
    assert [line for line in done.stderr.splitlines() if unit in line] == []


@pytest.mark.parametrize("configuration", ["nginx.conf", "nginx-replicas.conf"])
def test_nginx_accepts_its_configuration(configuration: str, tmp_path: Path) -> None:
    nginx, openssl = (shutil.which(name, path="/usr/sbin:/usr/bin:/usr/local/bin") for name in ("nginx", "openssl"))
    if nginx is None or openssl is None:
        pytest.skip("nginx or openssl isn't installed.")
    certificate, key = tmp_path / "docs.pem", tmp_path / "docs.key"
    request = [openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=docs.example.org"]
    subprocess.run([*request, "-keyout", key, "-out", certificate], check=True, capture_output=True)
    text = (DEPLOY / configuration).read_text(encoding="utf-8")
    for name in ("docs.pem", "docs.key"):
        text = text.replace(f"/etc/ssl/{name}", str(tmp_path / name))
    for port, free in ((443, 8443), (80, 8080)):
        text = text.replace(f"listen {port}", f"listen 127.0.0.1:{free}")
    (tmp_path / "nginx.conf").write_text(f"pid {tmp_path}/pid;\nerror_log stderr;\n{text}", encoding="utf-8")
    command = [nginx, "-t", "-p", str(tmp_path), "-c", str(tmp_path / "nginx.conf")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "syntax is ok" in done.stderr, done.stderr
    assert "[warn]" not in done.stderr.replace('the "user" directive', "")
