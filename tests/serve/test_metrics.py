"""Every metric of docs/operations.md, under its name, with its labels."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics
from prometheus_client.parser import text_string_to_metric_families as plain

from gateway import __version__
from gateway.engine.movement import Count
from gateway.engine.states import State
from gateway.serve.metrics import Metrics

PROMISED = {
    "gateway_calls_total": {"provider", "dialect", "kind", "outcome", "reason"},
    "gateway_call_seconds": {"provider", "kind"},
    "gateway_wallet_requests_total": {"wallet", "kind", "result"},
    "gateway_wallet_seconds": {"wallet", "kind"},
    "gateway_overhead_seconds": {"provider"},
    "gateway_signature_failures_total": {"provider", "key"},
    "gateway_key_uses_total": {"provider", "key"},
    "gateway_replays_total": {"provider", "kind", "verdict"},
    "gateway_unresolved": {"wallet", "kind"},
    "gateway_owed": {"wallet", "kind"},
    "gateway_for_person": {"wallet", "kind"},
    "gateway_unresolved_oldest_seconds": {"wallet"},
    "gateway_recovered_total": {"wallet", "kind", "outcome"},
    "gateway_inflight": {"provider"},
    "gateway_overload_total": {"provider", "wallet"},
    "gateway_breaker_open": {"wallet"},
    "gateway_journal_commit_seconds": set(),
    "gateway_config_generation": set(),
    "gateway_build_info": {"version"},
}


def busy() -> Metrics:
    metrics = Metrics()
    metrics.wallets, metrics.generation = ("main",), 3
    metrics.inflight["acme"] += 1
    metrics.call("acme", "native", "debit", "accepted", "", 0.02, 0.015)
    metrics.wallet_request("main", "debit", "answered", 0.015)
    metrics.signature_failure("acme", "secret")
    metrics.key_use("acme", "k1")
    metrics.replay("acme", "debit", "same")
    metrics.recovered("main", "debit", "accepted")
    metrics.committed(0.0007)
    return metrics


def samples(metrics: Metrics) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    text = metrics.expose("")[0].decode()
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in plain(text)
        for sample in family.samples
    }


def value(metrics: Metrics, name: str, **labels: str) -> float:
    return samples(metrics)[(name, frozenset(labels.items()))]


def test_names_and_labels_are_the_contracts() -> None:
    found: dict[str, set[str]] = {}
    for name, labels in samples(busy()):
        base = name.removesuffix("_bucket").removesuffix("_sum").removesuffix("_count")
        found.setdefault(base, set()).update(label for label, _ in labels if label != "le")
    expected = {name: labels for name, labels in PROMISED.items() if name != "gateway_overload_total"}
    assert found == expected  # overload is declared, and nothing was refused


def test_everything_is_declared_from_the_start() -> None:
    text = Metrics().expose("")[0].decode()
    assert [name for name in PROMISED if f"# TYPE {name} " not in text] == []


def test_values() -> None:
    metrics = busy()
    assert value(metrics, "gateway_call_seconds_sum", provider="acme", kind="debit") == 0.02
    assert value(metrics, "gateway_call_seconds_bucket", provider="acme", kind="debit", le="0.01") == 0
    assert value(metrics, "gateway_call_seconds_bucket", provider="acme", kind="debit", le="0.025") == 1
    assert value(metrics, "gateway_call_seconds_bucket", provider="acme", kind="debit", le="+Inf") == 1
    assert round(value(metrics, "gateway_overhead_seconds_sum", provider="acme"), 6) == 0.005
    assert value(metrics, "gateway_config_generation") == 3
    assert value(metrics, "gateway_build_info", version=__version__) == 1
    assert value(metrics, "gateway_journal_commit_seconds_count") == 1


def test_open_movements() -> None:
    now = datetime.now(UTC)
    metrics = busy()
    metrics.counts = [
        Count("main", "debit", State.DOUBT, 2, now - timedelta(minutes=5)),
        Count("main", "credit", State.OWED, 3, now - timedelta(minutes=1)),
        Count("main", "rollback", State.PERSON, 1, now),
        Count("gone", "settle", State.DOUBT, 1, now),
    ]
    assert value(metrics, "gateway_unresolved", wallet="main", kind="debit") == 2
    assert value(metrics, "gateway_unresolved", wallet="main", kind="credit") == 3
    assert value(metrics, "gateway_unresolved", wallet="main", kind="rollback") == 1
    assert value(metrics, "gateway_unresolved", wallet="gone", kind="settle") == 1
    assert value(metrics, "gateway_owed", wallet="main", kind="credit") == 3
    assert value(metrics, "gateway_owed", wallet="main", kind="debit") == 0
    assert value(metrics, "gateway_for_person", wallet="main", kind="rollback") == 1
    assert 300 <= value(metrics, "gateway_unresolved_oldest_seconds", wallet="main") < 310


def test_nothing_open_is_shown_as_zero() -> None:
    metrics = busy()
    for kind in ("debit", "credit", "rollback"):
        assert value(metrics, "gateway_unresolved", wallet="main", kind=kind) == 0
    assert value(metrics, "gateway_unresolved_oldest_seconds", wallet="main") == 0


def test_openmetrics_on_request() -> None:
    body, content_type = busy().expose("application/openmetrics-text; version=1.0.0")
    assert content_type.startswith("application/openmetrics-text")
    assert "gateway_calls" in {family.name for family in openmetrics(body.decode())}


def test_a_wallet_that_refuses_us_is_told() -> None:
    told: list[tuple[str, str, str]] = []
    Metrics(fault=lambda *facts: told.append(facts)).our_fault("main", "debit", "bad_signature")
    assert told == [("main", "debit", "bad_signature")]
