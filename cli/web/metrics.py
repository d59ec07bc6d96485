"""What `/metrics` says, for Prometheus: how long searches take, what was asked, what is held."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from unify.cli.web.library import View

TYPE = "text/plain; version=0.0.4; charset=utf-8"
_SECONDS = (0.002, 0.005, 0.01, 0.015, 0.02, 0.03, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)


class Metrics:
    """Counts of one server."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self.search_s = Histogram(
            "unify_search_seconds", "Server time of a search, its text encoded.",
            registry=self._registry, buckets=_SECONDS,
        )  # fmt: skip
        self.requests = Counter(
            "unify_requests", "Requests by what was asked and what was answered.",
            ("route", "status"), registry=self._registry,
        )  # fmt: skip
        self.refused = Counter(
            "unify_refused", "Requests refused because too many waited.", registry=self._registry
        )
        self._facts = {
            name: Gauge(f"unify_index_{name}", text, registry=self._registry)
            for name, text in (
                ("videos", "Searchable videos."),
                ("moments", "Searchable moments."),
                ("generation", "The generation that is served."),
                ("building", "1 while a build runs."),
            )
        }

    def page(self, view: View, building: bool) -> bytes:
        """Return all of it in Prometheus's text format."""
        statistics = view.backend.statistics()
        self._facts["videos"].set(statistics.videos)
        self._facts["moments"].set(statistics.moments)
        self._facts["generation"].set(view.generation)
        self._facts["building"].set(building)
        return generate_latest(self._registry)
