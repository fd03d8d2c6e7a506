"""Every metric of docs/operations.md, under exactly its name and labels.

The hot path adds to plain dicts of the event loop (a tenth of what a locked child of
prometheus_client costs); `collect` makes Prometheus families of them when they are scraped.
"""

from __future__ import annotations

import time
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from msgspec import Struct
from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from gateway import __version__
from gateway.engine.movement import Count
from gateway.engine.states import State
from gateway.serve.shown import UNRESOLVED

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
SECONDS_SMALL = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0)
GAUGE_KINDS = ("debit", "credit", "rollback")
"""Shown for every wallet even at zero: an alert on a series that is not there never fires."""


Values = Mapping[tuple[str, ...], float]
"""Numbers by the values of their labels."""

Line = tuple[list[str], list[float]]
"""The values of the labels, and the number or the row of a histogram."""


class Snapshot(Struct, frozen=True, kw_only=True):
    """What one worker counted, for the worker that is being scraped."""

    families: list[list[Line]]
    inflight: dict[str, int]
    open_breakers: list[str]
    generation: int


class Counter:
    """A counter with labels; single-threaded."""

    def __init__(self, name: str, text: str, labels: Sequence[str]) -> None:
        self._name, self._text, self._labels = name, text, tuple(labels)
        self._values: defaultdict[tuple[str, ...], float] = defaultdict(float)

    def add(self, *labels: str) -> None:
        self._values[labels] += 1

    def plain(self) -> list[Line]:
        return [(list(labels), [value]) for labels, value in list(self._values.items())]

    def absorb(self, lines: Sequence[Line]) -> None:
        for labels, (value,) in lines:
            self._values[tuple(labels)] += value

    def family(self) -> Metric:
        family = CounterMetricFamily(self._name.removesuffix("_total"), self._text, labels=self._labels)
        for labels, value in list(self._values.items()):
            family.add_metric(labels, value)
        return family


class Histogram:
    """A histogram with labels; written by one thread."""

    def __init__(self, name: str, text: str, labels: Sequence[str], bounds: Sequence[float]) -> None:
        self._name, self._text, self._labels = name, text, tuple(labels)
        self._bounds = tuple(bounds)
        self._rows: dict[tuple[str, ...], list[float]] = {}

    def observe(self, seconds: float, *labels: str) -> None:
        row = self._rows.get(labels)
        if row is None:
            row = self._rows[labels] = [0] * (len(self._bounds) + 2)
        row[bisect_left(self._bounds, seconds)] += 1
        row[-1] += seconds  # the last place holds the sum

    def plain(self) -> list[Line]:
        return [(list(labels), list(row)) for labels, row in list(self._rows.items())]

    def absorb(self, lines: Sequence[Line]) -> None:
        for labels, row in lines:
            known = self._rows.get(tuple(labels), [0] * len(row))
            self._rows[tuple(labels)] = [one + other for one, other in zip(known, row, strict=True)]

    def family(self) -> Metric:
        family = HistogramMetricFamily(self._name, self._text, labels=self._labels)
        for labels, row in list(self._rows.items()):
            family.add_metric(labels, buckets=list(self._cumulated(row)), sum_value=row[-1])
        return family

    def _cumulated(self, row: Sequence[float]) -> Iterator[tuple[str, float]]:
        total = 0.0
        for bound, number in zip((*self._bounds, float("inf")), row, strict=False):
            total += number
            yield ("+Inf" if bound == float("inf") else repr(bound)), total


class Metrics(Collector):
    """What the process counts; it is the engine's `Meter`."""

    def __init__(self, fault: Callable[[str, str, str], None] = lambda wallet, kind, reason: None) -> None:
        """`fault` is told (wallet, kind, reason) when a wallet refused us for our key or our form."""
        self._fault = fault
        self.generation = 0
        self.wallets: tuple[str, ...] = ()
        self.counts: Sequence[Count] = ()  # of the journal, read before each scrape
        self.inflight: defaultdict[str, int] = defaultdict(int)
        self.breaker_open: Callable[[str], bool] = lambda wallet: False
        self._calls = Counter(
            "gateway_calls_total", "Calls of providers.", ("provider", "dialect", "kind", "outcome", "reason")
        )
        self._call_seconds = Histogram(
            "gateway_call_seconds", "From first byte to answer.", ("provider", "kind"), SECONDS
        )
        self._overhead = Histogram(
            "gateway_overhead_seconds", "Our own part of gateway_call_seconds.", ("provider",), SECONDS_SMALL
        )
        self._wallet_requests = Counter(
            "gateway_wallet_requests_total", "Requests to wallets.", ("wallet", "kind", "result")
        )
        self._wallet_seconds = Histogram("gateway_wallet_seconds", "Requests to wallets.", ("wallet", "kind"), SECONDS)
        self._signature_failures = Counter(
            "gateway_signature_failures_total", "Calls that could not prove who sends them.", ("provider", "key")
        )
        self._key_uses = Counter("gateway_key_uses_total", "Calls that a key verified.", ("provider", "key"))
        self._replays = Counter("gateway_replays_total", "Repeated movements.", ("provider", "kind", "verdict"))
        self._recovered = Counter(
            "gateway_recovered_total", "Movements settled after doubt.", ("wallet", "kind", "outcome")
        )
        self._overload = Counter("gateway_overload_total", "Calls refused for overload.", ("provider", "wallet"))
        self._commit = Histogram("gateway_journal_commit_seconds", "Commits of the journal.", (), SECONDS_SMALL)
        self._families: tuple[Counter | Histogram, ...] = (
            self._calls, self._call_seconds, self._overhead, self._wallet_requests, self._wallet_seconds,
            self._signature_failures, self._key_uses, self._replays, self._recovered, self._overload, self._commit,
        )  # fmt: skip
        self.registry = CollectorRegistry()
        self.registry.register(self)

    # -- the engine's Meter

    def call(
        self, provider: str, dialect: str, kind: str, outcome: str, reason: str, seconds: float, wallet_seconds: float
    ) -> None:
        self._calls.add(provider, dialect, kind, outcome, reason)
        self._call_seconds.observe(seconds, provider, kind)
        self._overhead.observe(max(0.0, seconds - wallet_seconds), provider)

    def wallet_request(self, wallet: str, kind: str, result: str, seconds: float) -> None:
        self._wallet_requests.add(wallet, kind, result)
        self._wallet_seconds.observe(seconds, wallet, kind)

    def signature_failure(self, provider: str, key: str) -> None:
        self._signature_failures.add(provider, key)

    def key_use(self, provider: str, key: str) -> None:
        self._key_uses.add(provider, key)

    def replay(self, provider: str, kind: str, verdict: str) -> None:
        self._replays.add(provider, kind, verdict)

    def recovered(self, wallet: str, kind: str, outcome: str) -> None:
        self._recovered.add(wallet, kind, outcome)

    def our_fault(self, wallet: str, kind: str, reason: str) -> None:
        self._fault(wallet, kind, reason)

    # -- the outer ring's own

    def overload(self, provider: str, wallet: str) -> None:
        """A call, or a request to a wallet, was refused because too many are under way."""
        self._overload.add(provider, wallet)

    def committed(self, seconds: float) -> None:
        """Heard from the journal's writer thread, the only one that writes this histogram."""
        self._commit.observe(seconds)

    def expose(self, accept: str) -> tuple[bytes, str]:
        """(body, content type): OpenMetrics where `accept` asks for it, else the text format."""
        encode, content_type = choose_encoder(accept)
        return encode(self.registry), content_type

    def snapshot(self) -> Snapshot:
        return Snapshot(
            families=[family.plain() for family in self._families],
            inflight=dict(self.inflight),
            open_breakers=[wallet for wallet in self.wallets if self.breaker_open(wallet)],
            generation=self.generation,
        )

    def absorb(self, snapshot: Snapshot) -> None:
        """Adds what another worker counted."""
        for family, lines in zip(self._families, snapshot.families, strict=True):
            family.absorb(lines)
        for provider, number in snapshot.inflight.items():
            self.inflight[provider] += number

    def together(self, others: Sequence[Snapshot]) -> Metrics:
        """What all workers counted. What comes from the journal is the same in all, and is not summed;
        a breaker is open where one worker's is, a configuration is in use when it is everywhere."""
        everyone = [self.snapshot(), *others]
        whole = Metrics()
        whole.counts, whole.wallets = self.counts, self.wallets
        whole.generation = min((each.generation for each in everyone if each.generation), default=0)
        open_somewhere = {wallet for each in everyone for wallet in each.open_breakers}
        whole.breaker_open = lambda wallet: wallet in open_somewhere
        for each in everyone:
            whole.absorb(each)
        return whole

    def collect(self) -> Iterable[Metric]:
        for family in self._families:
            yield family.family()
        yield from open_movements(self.counts, self.wallets, time.time())
        inflight: Values = {(provider,): float(number) for provider, number in list(self.inflight.items())}
        yield _gauge("gateway_inflight", "Calls being answered.", ("provider",), inflight)
        breakers: Values = {(wallet,): float(self.breaker_open(wallet)) for wallet in self.wallets}
        yield _gauge("gateway_breaker_open", "1 while a wallet is not asked.", ("wallet",), breakers)
        yield _gauge("gateway_config_generation", "The configuration in use.", (), {(): float(self.generation)})
        yield _gauge("gateway_build_info", "The version.", ("version",), {(__version__,): 1.0})


OPEN = frozenset(UNRESOLVED)


def open_movements(counts: Sequence[Count], wallets: Sequence[str], now: float) -> Iterator[Metric]:
    """The journal's open movements: all of them are `unresolved` (rule 25), some are owed or
    wait for a person. What is being asked counts nowhere: no doubt was told yet."""
    yield _numbers("gateway_unresolved", "Movements whose outcome is not definite.", OPEN, counts, wallets)
    yield _numbers("gateway_owed", "Those owed to the wallet.", frozenset({State.OWED}), counts, wallets)
    yield _numbers("gateway_for_person", "Those that wait for a person.", frozenset({State.PERSON}), counts, wallets)
    ages = dict.fromkeys(wallets, 0.0)
    for count in counts:
        if count.state in OPEN:
            ages[count.wallet] = max(ages.get(count.wallet, 0.0), now - count.oldest.timestamp())
    oldest: Values = {(wallet,): age for wallet, age in ages.items()}
    yield _gauge("gateway_unresolved_oldest_seconds", "Age of the oldest of them.", ("wallet",), oldest)


def _numbers(name: str, text: str, states: frozenset[State], counts: Sequence[Count], wallets: Sequence[str]) -> Metric:
    numbers: dict[tuple[str, ...], float] = {(wallet, kind): 0.0 for wallet in wallets for kind in GAUGE_KINDS}
    for count in counts:
        if count.state in states:
            key = (count.wallet, count.kind)
            numbers[key] = numbers.get(key, 0.0) + count.number
    return _gauge(name, text, ("wallet", "kind"), numbers)


def _gauge(name: str, text: str, labels: Sequence[str], values: Values) -> Metric:
    family = GaugeMetricFamily(name, text, labels=labels)
    for label_values, value in values.items():
        family.add_metric(label_values, value)
    return family
