"""OneMap behind nginx as `setup/nginx/onemap.conf` has it: https to whoever asks, and everything works through it."""

import os
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from gis.settings import CHECKOUT
from tests.served import serving

NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")
TILE = "/collections/base.pois/tiles/WebMercatorQuad/10/416/843"
MAIN = """
user {user};
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 256; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/onemap.conf;
}}
"""

pytestmark = pytest.mark.skipif(NGINX is None, reason="nginx is not installed: setup/bootstrap.sh proxy")


@dataclass
class Site:
    """What nginx serves: its ports, and a client that knows its certificate."""

    http: int
    https: int
    certificate: Path

    def get(self, path: str, method: str = "GET", **more: Any) -> httpx.Response:
        context = ssl.create_default_context(cafile=str(self.certificate))
        with httpx.Client(verify=context, base_url=f"https://localhost:{self.https}", trust_env=False) as client:
            return client.request(method, path, **more)


def _certificate(folder: Path) -> tuple[Path, Path]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    certificate, private = folder / "site.pem", folder / "site.key"
    certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return certificate, private


def _free_ports() -> tuple[int, int]:
    with socket.socket() as one, socket.socket() as other:
        for probe in (one, other):
            probe.bind(("127.0.0.1", 0))
        return one.getsockname()[1], other.getsockname()[1]


@pytest.fixture(scope="module")
def site(sample_url: tuple[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("nginx")
    certificate, private = _certificate(folder)
    http, https = _free_ports()
    home = folder / "home"
    home.mkdir()
    limits = {"ONEMAP_REQUESTS_PER_S_ADDRESS": "20"}
    with serving(sample_url[0], home, ONEMAP_PROXIES="127.0.0.1", **limits) as url:
        text = (CHECKOUT / "setup" / "nginx" / "onemap.conf").read_text()
        words = {
            "NAME": "localhost", "CERTIFICATE": str(certificate), "KEY": str(private),
            "UPSTREAM": url.removeprefix("http://"), "HTTP": f"127.0.0.1:{http}", "HTTPS": f"127.0.0.1:{https}",
        }  # fmt: skip
        for word, value in words.items():
            text = text.replace(f"@{word}@", value)
        lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
        assert "@" not in "".join(lines)
        (folder / "onemap.conf").write_text(text)
        user = "root" if os.getuid() == 0 else "nobody"
        (folder / "nginx.conf").write_text(MAIN.format(folder=folder, user=user))
        words_of = [str(NGINX), "-p", str(folder), "-c", str(folder / "nginx.conf"), "-g", "daemon off;"]
        process = subprocess.Popen(words_of, stderr=subprocess.PIPE)
        try:
            yield _answering(Site(http, https, certificate), process)
        finally:
            process.terminate()
            process.communicate(timeout=10)


def _answering(site: Site, process: subprocess.Popen[bytes]) -> Site:
    ends_s = time.monotonic() + 10
    while True:
        try:
            site.get("/health")
            return site
        except httpx.TransportError:
            assert process.poll() is None and time.monotonic() < ends_s, process.communicate()
            time.sleep(0.1)


def test_everything_works_through_it(site: Site) -> None:
    landing = site.get("/")
    assert landing.status_code == 200 and landing.http_version == "HTTP/1.1"
    assert all(link["href"].startswith(f"https://localhost:{site.https}/") for link in landing.json()["links"])
    assert landing.headers["strict-transport-security"].startswith("max-age=31536000")
    assert len(landing.headers.get_list("content-security-policy")) == 1
    tile = site.get(TILE)
    assert tile.status_code == 200 and tile.headers["strict-transport-security"]
    assert site.get(TILE, headers={"if-none-match": tile.headers["etag"]}).status_code == 304
    assert site.get("/collections/base.pois/items?limit=3").json()["numberReturned"] == 3
    assert site.get("/collections/base.pois/items?f=csv").text.count("\n") > 3
    assert site.get("/nothing").status_code == 404
    assert site.get("/collections/base.pois/items?a=" + "x" * 17_000).status_code == 414
    # figures are for this machine, which a proxy is not
    assert site.get("/metrics").status_code == 403


def test_plain_http_leads_to_https(site: Site) -> None:
    with httpx.Client(trust_env=False) as client:
        answer = client.get(f"http://127.0.0.1:{site.http}/map?x=1", headers={"host": "localhost"})
    assert (answer.status_code, answer.headers["location"]) == (301, "https://localhost/map?x=1")
    assert "nginx/" not in answer.headers["server"]


def test_other_names_are_not_answered(site: Site) -> None:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with socket.create_connection(("127.0.0.1", site.https)) as raw, pytest.raises(ssl.SSLError):
        context.wrap_socket(raw, server_hostname="elsewhere.test")


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_the_versions_of_tls(site: Site, version: ssl.TLSVersion) -> None:
    context = ssl.create_default_context(cafile=str(site.certificate))
    context.minimum_version = context.maximum_version = version
    with (
        socket.create_connection(("127.0.0.1", site.https)) as raw,
        context.wrap_socket(raw, server_hostname="localhost") as wrapped,
    ):
        assert wrapped.version() == version.name.replace("_", ".")


def test_the_live_feed_flows(site: Site) -> None:
    context = ssl.create_default_context(cafile=str(site.certificate))
    with (
        httpx.Client(verify=context, base_url=f"https://localhost:{site.https}", trust_env=False, timeout=20) as client,
        client.stream("GET", "/live") as answer,
    ):
        assert answer.headers["content-type"].startswith("text/event-stream")
        # at once, though the feed goes on
        assert next(answer.iter_bytes())


def test_a_caller_cannot_pass_for_others(site: Site) -> None:
    """Whatever a caller writes into the headers, he is counted as himself."""
    found = [
        site.get("/conformance", headers={"x-forwarded-for": f"198.51.100.{n % 250}"}).status_code for n in range(5)
    ]
    assert found == [200] * 5
    context = ssl.create_default_context(cafile=str(site.certificate))
    with httpx.Client(verify=context, base_url=f"https://localhost:{site.https}", trust_env=False) as client:
        for n in range(2_000):
            answer = client.get("/conformance", headers={"x-forwarded-for": f"198.51.{n // 250}.{n % 250}"})
            if answer.status_code == 429:
                assert int(answer.headers["retry-after"]) >= 1
                return
    pytest.fail("nobody was held back")
