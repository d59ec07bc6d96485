from urllib.parse import quote

import pytest
from starlette.testclient import TestClient

from tests.indexer.media import make_still
from unify.cli.web.app import make_app
from unify.cli.web.guard import COOKIE, MAX_BODY_BYTES, POLICY, Door

TOKEN = "correct; horse=battery"


@pytest.fixture(scope="module")
def guarded(library):
    """An application that asks for a token, as one bound beyond this machine does."""
    with TestClient(
        make_app(library, Door("0.0.0.0", TOKEN)), base_url="http://192.168.1.7:8765"
    ) as client:
        yield client


@pytest.fixture(autouse=True)
def no_cookies(guarded):
    guarded.cookies.clear()


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.0.0.1:8765", "localhost:80", "[::1]:8765", "LOCALHOST"]
)
def test_names_of_this_machine_are_served(client, host):
    assert client.get("/api/v1/status", headers={"host": host}).status_code == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "127.0.0.1.evil.example",
        "localhost.evil.example:8765",
        "",
        "192.168.1.7",
        "a:b:c",
        "[::1",
    ],
)
def test_a_foreign_host_is_refused(client, host):
    answer = client.get("/api/v1/status", headers={"host": host})
    assert answer.status_code == 421


def test_beyond_this_machine_addresses_are_its_own_but_names_are_not():
    door = Door("0.0.0.0", TOKEN)
    assert door.knows("192.168.1.7:8765") and door.knows("[fe80::1]:8765")
    assert not door.knows("evil.example:8765")
    assert Door("films.home", TOKEN).knows("films.home:80")


def test_another_site_gets_nothing_but_may_link_to_the_page(client):
    def status(path: str, **headers: str) -> int:
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        return client.get(path, headers=given).status_code

    foreign = {"sec_fetch_site": "cross-site"}
    assert status("/api/v1/status", **foreign, sec_fetch_mode="no-cors") == 403
    assert status("/api/v1/status", **foreign, sec_fetch_mode="navigate") == 403
    assert status("/app.js", **foreign, sec_fetch_mode="cors") == 403
    assert status("/", **foreign, sec_fetch_mode="navigate") == 200
    assert status("/api/v1/status", sec_fetch_site="same-site") == 403
    assert status("/api/v1/status", sec_fetch_site="same-origin") == 200


def test_without_the_token_there_is_nothing(guarded):
    for path in ("/", "/app.js", "/api/v1/status", "/metrics", "/api/v1/openapi.json", "/nowhere"):
        answer = guarded.get(path)
        assert answer.status_code == 401 and answer.headers["www-authenticate"] == "Bearer"
    for shown in ("Bearer wrong", "Bearer", f"Basic {TOKEN}", TOKEN, "Bearer " + "é" * 5):
        headers = {"authorization": shown.encode("utf-8")}
        assert guarded.get("/api/v1/status", headers=headers).status_code == 401
    assert guarded.get("/?token=wrong", follow_redirects=False).status_code == 401
    assert guarded.get(f"/api/v1/status?token={quote(TOKEN)}").status_code == 401


def test_programs_show_the_token_in_a_header(guarded):
    headers = {"authorization": f"Bearer {TOKEN}"}
    assert guarded.get("/api/v1/status", headers=headers).status_code == 200


def test_a_file_is_taken_with_the_token_alone(guarded):
    headers = {"content-type": "image/png"}
    for shown, code in ({}, 401), ({"authorization": f"Bearer {TOKEN}"}, 201):
        answer = guarded.post(
            "/api/v1/pictures", content=make_still(9), headers={**headers, **shown}
        )
        assert answer.status_code == code


def test_a_browser_brings_it_once_and_then_as_a_cookie(guarded):
    answer = guarded.get(f"/?q=a+dog&token={quote(TOKEN)}", follow_redirects=False)
    assert answer.status_code == 303 and answer.headers["location"] == "/?q=a+dog"
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith(f"{COOKIE}=") and "HttpOnly" in cookie and "SameSite=Strict" in cookie
    assert guarded.get("/").status_code == 200  # the cookie is in the jar now
    guarded.cookies.clear()
    for shown in (f"{COOKIE}=wrong", f"{COOKIE}=", "a=b; \x7f;=;", f"other={TOKEN}"):
        assert guarded.get("/", headers={"cookie": shown}).status_code == 401


@pytest.mark.parametrize("length", [str(MAX_BODY_BYTES + 1), "10000000000", "-1", "1e3", "x"])
def test_an_oversize_body_is_refused_before_it_is_read(client, length):
    answer = client.get("/api/v1/status", headers={"content-length": length})
    assert answer.status_code == 413 and answer.headers["connection"] == "close"


@pytest.mark.parametrize(
    "path", ["/", "/api/v1/status", "/api/v1/search?q=dog", "/nowhere", "/metrics", "/app.js"]
)
def test_every_answer_carries_the_headers_that_browsers_obey(client, path):
    headers = client.get(path).headers
    assert headers["content-security-policy"] == POLICY
    assert "unsafe" not in POLICY and "http" not in POLICY
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert "access-control-allow-origin" not in headers


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_nothing_can_be_changed(client, method):
    assert client.request(method, "/api/v1/search").status_code == 405


@pytest.mark.parametrize(
    "path",
    [
        "/..%2f..%2fpyproject.toml", "/%2e%2e/%2e%2e/library.py", "/static/../app.py",
        "/....//app.py", "/%5c..%5capp.py", "/app.js/../../app.py", "//etc/passwd", "/etc/passwd",
        "/api/v1/videos/..%2f1/stream", "/api/v1/videos/1%2f..%2f2/stream",
        "/api/v1/videos/%2fetc%2fpasswd/stream", "/api/v1/videos/1/stream/../../../../etc/passwd",
        "/app.py", "/%00", "/app.js%00.html",
    ],
)  # fmt: skip
def test_no_path_leads_out(client, path):
    answer = client.get(path)
    assert answer.status_code in (400, 404, 422), answer.text
    assert "root:" not in answer.text and "import" not in answer.text
