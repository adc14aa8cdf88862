"""`/metrics`: what the store says at that moment, and what this process has counted itself. Prometheus' text format.

No number, no text and no key is in it, and no label that a caller could make up: an endpoint is told by its template.
"""

from __future__ import annotations

import time
from functools import cache
from http import HTTPMethod

import falcon
from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector, disable_created_metrics
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector

from tocsin import observe

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_SIZES = (1, 2, 4, 8, 16, 32, 64, 128, 256)
_METHODS = frozenset(HTTPMethod)
_NOWHERE = "none"
"""The endpoint of a request that no endpoint answers."""


class Meters:
    """What one gateway counts, in a registry of its own.

    Args:
        collectors: of what is asked for at each scrape.
    """

    def __init__(self, *collectors: Collector) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]  # a series more for each counter, which nobody asks for
        self.registry = CollectorRegistry()
        for collector in collectors:
            self.registry.register(collector)
        ProcessCollector(namespace="tocsin_gateway", registry=self.registry)
        self.requests = Counter(
            "tocsin_gateway_requests",
            "Requests answered, by the template of their endpoint (none: no endpoint has that path).",
            ("endpoint", "method", "status"),
            registry=self.registry,
        )
        self.seconds = Histogram(
            "tocsin_gateway_request_seconds",
            "Time from a request's head to its answer.",
            ("endpoint",),
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.unavailable = Counter(
            "tocsin_gateway_unavailable",
            "Requests answered 503 by an endpoint: the store failed, or a key was over its limit.",
            registry=self.registry,
        )
        self.faults = Counter(
            "tocsin_gateway_faults",
            "Requests answered with an internal error: each is a defect.",
            registry=self.registry,
        )
        self.turned_away = Counter(
            "tocsin_gateway_turned_away",
            "Requests answered 503 at the door: too many were being worked on.",
            registry=self.registry,
        )
        self.batches = Histogram(
            "tocsin_gateway_batch_intakes",
            "Acceptances that one commit made durable.",
            buckets=_SIZES,
            registry=self.registry,
        )


class Metrics:
    """The endpoint."""

    def __init__(self, meters: Meters) -> None:
        self._meters = meters

    def on_get(self, _: falcon.Request, response: falcon.Response) -> None:
        """Answer a scrape."""
        response.content_type = CONTENT_TYPE_LATEST
        response.data = generate_latest(self._meters.registry)


class Counting:
    """Middleware, the outermost: counts each request, and logs it in one line."""

    def __init__(self, meters: Meters) -> None:
        self._meters = meters
        self._counter = cache(meters.requests.labels)  # to find a series costs more than to count
        self._seconds = cache(meters.seconds.labels)

    def process_request(self, request: falcon.Request, _: falcon.Response) -> None:
        """Note when it began."""
        request.context.began_at = time.perf_counter()

    def process_response(self, request: falcon.Request, response: falcon.Response, _: object, __: bool) -> None:
        """Count it and log it."""
        elapsed_s = time.perf_counter() - request.context.began_at
        endpoint = request.uri_template or _NOWHERE
        method = request.method if request.method in _METHODS else "other"
        status = str(response.status_code)
        self._counter(endpoint, method, status).inc()
        self._seconds(endpoint).observe(elapsed_s)
        if response.status_code >= 500:
            counter = self._meters.unavailable if response.status_code == 503 else self._meters.faults
            counter.inc()
        observe.log.info(
            observe.GATEWAY_REQUEST,
            method=method,
            endpoint=endpoint,
            status=status,
            ms=round(elapsed_s * 1000, 1),
            key_name=request.context.get("key"),
        )
