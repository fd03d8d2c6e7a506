"""Every metric is documented, and the alerts and the dashboard name only metrics and labels that exist."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from ruamel.yaml import YAML

from docs.generate import ROOT
from gateway.engine.movement import Count
from gateway.engine.states import State
from gateway.serve.metrics import Metrics

OPERATIONS = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
DASHBOARD = json.loads((ROOT / "config" / "dashboard.json").read_text(encoding="utf-8"))
RULES = [
    rule
    for group in YAML(typ="safe").load((ROOT / "config" / "alerts.yaml").read_text(encoding="utf-8"))["groups"]
    for rule in group["rules"]
]
SUFFIXES = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count"), "gauge": ("",)}
OUTER_LABELS = {"le", "instance", "job"}  # of Prometheus itself
WORDS = {"by", "without", "and", "or", "unless", "offset", "on", "ignoring", "group_left", "group_right", "bool"}
FUNCTIONS = {"sum", "max", "min", "count", "rate", "increase", "histogram_quantile", "absent", "min_over_time"}


def metrics() -> dict[str, tuple[str, set[str]]]:
    """Name -> (type, labels), seen in what a process exposes once everything has happened."""
    meter = Metrics()
    meter.wallets = ("main",)
    now = datetime(2026, 1, 1, tzinfo=UTC)
    meter.counts = [Count(wallet="main", kind="debit", state=State.OWED, number=1, oldest=now)]
    meter.inflight["acme"] = 1
    meter.call("acme", "kyren", "debit", "accepted", "", 0.1, 0.05)
    meter.wallet_request("main", "debit", "answered", 0.05)
    meter.signature_failure("acme", "k1")
    meter.key_use("acme", "k1")
    meter.replay("acme", "debit", "same")
    meter.recovered("main", "debit", "accepted")
    meter.committed(0.001)
    found = {}
    for family in meter.collect():
        name = f"{family.name}_total" if family.type == "counter" else family.name
        found[name] = (family.type, {label for sample in family.samples for label in sample.labels} - {"le"})
    return found


METRICS = metrics()
NOT_MOVED = {"gateway_overload_total": {"provider", "wallet"}}  # nothing calls it yet; its labels as declared
LABELS = {name: labels or NOT_MOVED.get(name, set()) for name, (_, labels) in METRICS.items()}


def series() -> dict[str, str]:
    """Every name of a time series -> its metric."""
    return {
        name.removesuffix("_total") + suffix: name for name, (kind, _) in METRICS.items() for suffix in SUFFIXES[kind]
    }


def wrong(expression: str) -> list[str]:
    """What is wrong with a PromQL expression: names that do not exist, brackets that do not close."""
    found = []
    plain = re.sub(r'"[^"]*"', '""', expression)
    for opening, closing in ("()", "{}", "[]"):
        if plain.count(opening) != plain.count(closing):
            found.append(f"{opening} and {closing} do not match")
    named = re.findall(r"\bgateway_\w+", plain)
    known = series()
    found += [f"no such metric: {name}" for name in named if name not in known]
    labels = set().union(*(LABELS[known[name]] for name in named if name in known)) | OUTER_LABELS
    selected = re.findall(r"(\w+)\s*(?:=~|!~|!=|=)\s*\"\"", plain)
    grouped = [label.strip() for inside in re.findall(r"\bby \(([^)]*)\)", plain) for label in inside.split(",")]
    found += [f"no such label: {label}" for label in [*selected, *grouped] if label not in labels]
    bare = re.sub(r"\[[^\]]*\]|\{[^}]*\}|\bby \([^)]*\)|\boffset \w+|\$\w+", " ", plain)
    words = set(re.findall(r"\b[a-z_]+\b", bare)) - set(named)
    found += [f"no such word: {word}" for word in sorted(words - WORDS - FUNCTIONS)]
    return found if named else [*found, "it names no metric of the gateway"]


def panels() -> Iterator[dict]:
    for panel in DASHBOARD["panels"]:
        yield panel
        yield from panel.get("panels", ())


# ---------------------------------------------------------------- the page


def documented() -> dict[str, tuple[str, set[str]]]:
    rows = re.findall(r"^\| `(gateway_\w+)` \| (\w+) \| ([\w, ]*)\|", OPERATIONS, re.MULTILINE)
    return {name: (kind, {label for label in re.split(r"[, ]+", labels) if label}) for name, kind, labels in rows}


def test_every_metric_is_documented_with_its_type_and_labels() -> None:
    assert documented() == {name: (kind, LABELS[name]) for name, (kind, _) in METRICS.items()}


def test_every_alert_is_explained() -> None:
    table = OPERATIONS.split("## What an alert means")[1].split("\n## ")[0]
    rows = "\n".join(line.split("|")[1] for line in table.splitlines() if line.startswith("|"))
    assert set(re.findall(r"`(Gateway\w+)`", rows)) == {rule["alert"] for rule in RULES}


# ---------------------------------------------------------------- alerts


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_an_alert_names_only_what_exists(rule: dict) -> None:
    assert wrong(rule["expr"]) == []
    assert set(rule) <= {"alert", "expr", "for", "labels", "annotations"}
    assert rule["labels"]["severity"] in ("warning", "critical")
    assert re.fullmatch(r"\d+[smh]", rule.get("for", "1m"))
    assert set(rule["annotations"]) == {"summary", "description"}
    shown = set(re.findall(r"\$labels\.(\w+)", str(rule["annotations"])))
    kept = set(re.findall(r"\w+", " ".join(re.findall(r"\bby \(([^)]*)\)", rule["expr"]))))
    assert shown <= kept, f"its text shows labels that the expression drops: {shown - kept}"


def test_alerts_have_names_of_their_own() -> None:
    names = [rule["alert"] for rule in RULES]
    assert len(names) == len(set(names))


@pytest.mark.parametrize(
    ("expression", "what"),
    [
        ("sum(rate(gateway_calls[5m]))", "no such metric: gateway_calls"),
        ("sum(gateway_call_seconds)", "no such metric: gateway_call_seconds"),
        ("sum by (player) (gateway_owed)", "no such label: player"),
        ('gateway_owed{provider="acme"}', "no such label: provider"),
        ("sum(gateway_owed", "( and ) do not match"),
        ("summe(gateway_owed)", "no such word: summe"),
        ("up == 0", "it names no metric of the gateway"),
    ],
)
def test_a_mistake_in_an_expression_is_found(expression: str, what: str) -> None:
    assert what in wrong(expression)


# ---------------------------------------------------------------- dashboard


@pytest.mark.parametrize("panel", [p for p in panels() if p["type"] != "row"], ids=lambda panel: panel["title"])
def test_a_panel_names_only_what_exists(panel: dict) -> None:
    assert panel["targets"]
    for target in panel["targets"]:
        assert wrong(target["expr"]) == []
        for label in re.findall(r"\{\{(\w+)\}\}", target["legendFormat"]):
            assert re.search(rf"\bby \([^)]*\b{label}\b", target["expr"]), f"the legend shows {label}, which is gone"


def test_every_metric_is_on_the_dashboard() -> None:
    known = series()
    text = json.dumps(DASHBOARD)
    assert {known[name] for name in re.findall(r"gateway_\w+", text)} == set(METRICS)


def test_panels_do_not_overlap_and_variables_exist() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in panels():
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert at["x"] + at["w"] <= 24, panel["title"]
        assert not cells & taken, panel["title"]
        taken |= cells
    identities = [panel["id"] for panel in panels()]
    assert len(identities) == len(set(identities))
    names = {variable["name"] for variable in DASHBOARD["templating"]["list"]} | {"__rate_interval"}
    used = set(re.findall(r"\$\{?(\w+)", " ".join(t["expr"] for p in panels() for t in p.get("targets", ()))))
    assert used <= names
