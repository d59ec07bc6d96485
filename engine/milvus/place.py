"""Where a Milvus collection is: what `--index` says, and what the environment adds.

    milvus://HOST:PORT/NAME[?tenant=T]   a server
    milvus:FILE.db/NAME[?tenant=T]       a file, through Milvus Lite inside this process

`UNIFY_MILVUS_TOKEN` is an API key or `USER:PASSWORD`; `UNIFY_MILVUS_TLS` is 1, or the file of the
certificate authority to trust. Neither is ever part of the address, which ends up in histories.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from unify.engine.errors import UsageError

TOKEN, TLS = "UNIFY_MILVUS_TOKEN", "UNIFY_MILVUS_TLS"
_TAIL = r"/(?P<name>[A-Za-z_]\w{0,199})(?:\?tenant=(?P<tenant>[\w.-]{1,64}))?"
_FILE = re.compile(rf"milvus:(?P<file>.+\.db){_TAIL}", re.ASCII)
_OWN = re.compile(r".*__\d+", re.ASCII)  # how unify names a collection; see `numbered`
_SERVER = re.compile(rf"milvus://?(?P<host>[^/?@]+){_TAIL}", re.ASCII)  # a Path keeps one slash


@dataclass(frozen=True, slots=True)
class MilvusPlace:
    """A collection by its address.

    Attributes:
        uri: what the client connects to: `http://...`, `https://...` or the path of a file.
        collection: the name; an alias of the collection that holds the rows.
        tenant: whose rows; "" where there is one tenant alone.
        token: secret, or "".
        authority: path of the certificate authority's file, or "".
    """

    uri: str
    collection: str
    tenant: str = ""
    token: str = ""
    authority: str = ""

    @property
    def embedded(self) -> bool:
        """Whether it is a file of this machine."""
        return self.uri.endswith(".db")

    def __str__(self) -> str:
        tenant = f"?tenant={self.tenant}" if self.tenant else ""
        if self.embedded:
            return f"milvus:{self.uri}/{self.collection}{tenant}"
        return f"milvus://{self.uri.partition('//')[2]}/{self.collection}{tenant}"

    @property
    def known_as(self) -> Path:
        """An absolute path that no other collection has, for what is kept about it."""
        if self.embedded:
            return Path(self.uri).absolute() / self.collection / self.tenant
        return Path("/", str(self).replace("://", "/"))


def milvus_place(given: str | os.PathLike[str]) -> MilvusPlace | None:
    """Read an address; None when it is no Milvus one, but a directory.

    Raises:
        UsageError: it begins with `milvus:` and is none of the two kinds, or its name is one that
            only a push gives.

    >>> milvus_place("milvus://db.example:19530/clips?tenant=acme").uri
    'http://db.example:19530'
    >>> str(milvus_place("milvus:lib/all.db/clips")), milvus_place("clips")
    ('milvus:lib/all.db/clips', None)
    """
    text = os.fspath(given)
    if not text.startswith("milvus:"):
        return None
    token, tls = os.environ.get(TOKEN, ""), os.environ.get(TLS, "")
    found = _FILE.fullmatch(text) or _SERVER.fullmatch(text)
    if found and _OWN.fullmatch(found["name"]):
        raise UsageError(
            f"{found['name']!r} is how a push names what it fills",
            "leave the two underscores and the number out",
        )
    if found := _FILE.fullmatch(text):
        return MilvusPlace(found["file"], found["name"], found["tenant"] or "")
    if found := _SERVER.fullmatch(text):
        secure = tls not in ("", "0")
        scheme = "https" if secure else "http"
        authority = tls if secure and tls != "1" else ""
        return MilvusPlace(
            f"{scheme}://{found['host']}", found["name"], found["tenant"] or "", token, authority
        )
    told = f"a token goes into {TOKEN}; " if "@" in text else ""
    raise UsageError(
        f"cannot read the address {text!r}",
        f"{told}write milvus://HOST:19530/NAME, or milvus:FILE.db/NAME for a file",
    )
