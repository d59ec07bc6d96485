"""Which engines we are compared with, by the names that `--peers` takes.

Every peer gets one thread where it can be told so, and the values as they are: those that take
whole numbers alone get them rounded, and lose by it. Hybrid peers fetch max(100, 5k) rows from
each side and fuse by our own map: they have a weighted sum of raw scores, so they are asked for
the very same ranking. Packages are imported when an engine is opened.
"""

from __future__ import annotations

from engines import Engine
from peer_lucene import Lucene, LuceneAlone, Pyserini
from peer_milvus import Milvus
from peer_pisa import Pisa
from peer_qdrant import Qdrant, QdrantRescored
from peer_scans import Faiss, Scipy
from peer_seismic import Seismic, SeismicFast

PEERS: dict[str, type[Engine]] = {
    "scipy": Scipy,
    "faiss": Faiss,
    "lucene": Lucene,
    "lucene-alone": LuceneAlone,
    "pyserini": Pyserini,
    "seismic": Seismic,
    "seismic-fast": SeismicFast,
    "pisa": Pisa,
    "qdrant": Qdrant,
    "qdrant-rescored": QdrantRescored,
    "milvus": Milvus,
}
