"""Who may ask, and how much: every request passes here before it reaches anything else.

- Host: a web page elsewhere can point its own name at this machine (DNS rebinding), so a name that
  is not this machine's is refused; addresses are none.
- Sec-Fetch-Site: another site in the same browser gets nothing, not even a picture.
- Token: needed beyond this machine. A browser brings it once in the link that `unify serve`
  prints, and then as a cookie; programs send `Authorization: Bearer TOKEN`.
- Bodies: nothing here takes one of more than a few bytes, but for the one route that takes files.
  Its length is known beforehand; the route itself bounds it by what kind of file it is.

Source of the headers: https://cheatsheetseries.owasp.org/cheatsheets/HTTP_Headers_Cheat_Sheet.html
"""

from __future__ import annotations

import hmac
import ipaddress
import json
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qsl, quote, unquote, urlencode

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from unify.cli.web.metrics import Metrics

MAX_BODY_BYTES = 64 << 10
COOKIE = "unify_token"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; media-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "content-security-policy": POLICY,
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}


def is_loopback(host: str) -> bool:
    """Whether an address to listen on is reached from this machine alone.

    >>> is_loopback("127.0.0.1"), is_loopback("::1"), is_loopback("0.0.0.0")
    (True, True, False)
    """
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


@dataclass(frozen=True, slots=True)
class Door:
    """Who is let in.

    Attributes:
        host: what the server listens on.
        token: what must be shown, or "" where nothing need be.
    """

    host: str
    token: str = ""

    def knows(self, header: str) -> bool:
        """Whether a Host header names this machine."""
        name = header.rpartition(":")[0] if header.rpartition(":")[2].isdecimal() else header
        name = name.strip("[]").lower().rstrip(".")
        own = socket.gethostname().lower()
        if name in {"localhost", self.host.lower(), own, f"{own}.local"} - {""}:
            return True
        try:
            address = ipaddress.ip_address(name)
        except ValueError:
            return False
        return not is_loopback(self.host) or address.is_loopback

    def opens(self, shown: str) -> bool:
        """Whether a token is the right one."""
        return not self.token or hmac.compare_digest(shown.encode(), self.token.encode())


@dataclass(frozen=True, slots=True)
class _Refusal:
    status: int
    message: str
    hint: str
    headers: tuple[tuple[str, str], ...] = ()


class Guard:
    """ASGI middleware that refuses what must not be, and adds the headers that browsers obey.

    Args:
        app: what is behind it.
        door: who is let in.
        metrics: where requests are counted.
        larger: how many bytes a body may have, by method and path, where it is more than usual.
    """

    def __init__(
        self, app: ASGIApp, door: Door, metrics: Metrics, larger: Mapping[tuple[str, str], int]
    ) -> None:
        self._app, self._door, self._metrics, self._larger = app, door, metrics, larger

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request in, or answer it."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":  # there are no websockets here
            await send({"type": "websocket.close", "code": 1008})
            return
        status = 500

        async def guarded(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers[name] = value
                asks = "private, no-cache" if "etag" in headers else "no-store"
                headers.setdefault("cache-control", asks)
                if Headers(scope=scope).get("content-length", "0") != "0":
                    headers["connection"] = "close"  # nobody waits for a body that none reads
            await send(message)

        try:
            refusal = self._refusal(scope)
            if refusal:
                await _answer(refusal, guarded)
            else:
                await self._app(scope, receive, guarded)
        finally:
            route = getattr(scope.get("route"), "path", "") or "other"
            self._metrics.requests.labels(route, str(status)).inc()

    def _refusal(self, scope: Scope) -> _Refusal | None:
        headers = Headers(scope=scope)
        if not self._door.knows(headers.get("host", "")):
            return _Refusal(421, "this Host is not served here", "use the printed address")
        foreign = headers.get("sec-fetch-site", "none") not in ("none", "same-origin")
        followed = headers.get("sec-fetch-mode") == "navigate" and scope["path"] == "/"
        if foreign and not followed:  # a link on another page may lead here; nothing else of it
            return _Refusal(403, "asked for by another site", "open the page itself")
        most = self._larger.get((scope["method"], scope["path"]), MAX_BODY_BYTES)
        length = headers.get("content-length", "0")
        endless = "transfer-encoding" in headers
        if endless or not length.isdecimal() or int(length) > most:
            return _Refusal(
                413, "the body is too large, or of no stated length", f"at most {most:,} bytes"
            )
        return self._without_token(scope, headers)

    def _without_token(self, scope: Scope, headers: Headers) -> _Refusal | None:
        """Return what to answer one who has not shown the token yet."""
        if not self._door.token:
            return None
        query = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
        given = dict(query).get("token", "")
        if given and scope["path"] == "/" and self._door.opens(given):
            rest = urlencode([(name, value) for name, value in query if name != "token"])
            cookie = (
                f"{COOKIE}={quote(self._door.token, safe='')}; HttpOnly; SameSite=Strict; Path=/"
            )
            place = f"/?{rest}" if rest else "/"
            return _Refusal(303, "", "", (("location", place), ("set-cookie", cookie)))
        scheme, _, bearer = headers.get("authorization", "").partition(" ")
        shown = bearer.strip() if scheme.lower() == "bearer" else _cookie(headers)
        if self._door.opens(shown):
            return None
        return _Refusal(
            401, "a token is needed", "open the link that unify serve printed",
            (("www-authenticate", "Bearer"),),
        )  # fmt: skip


def _cookie(headers: Headers) -> str:
    try:
        found = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
    except CookieError:
        return ""
    return unquote(found.value) if found else ""


async def _answer(refusal: _Refusal, send: Send) -> None:
    text = {"message": refusal.message, "hint": refusal.hint, "position": None}
    body = json.dumps(text).encode()
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        (b"connection", b"close"),  # a body that is not read must not be taken for a request
        *((name.encode(), value.encode("latin-1")) for name, value in refusal.headers),
    ]
    await send({"type": "http.response.start", "status": refusal.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
