"""What a good configuration becomes."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from gateway.engine.setup import Wallet
from gateway.model import Adjust, Capture, Credit, Debit, Kind, Release, Reserve, Rollback, Settle, repeats_as
from gateway.serve.config import load
from gateway.serve.config.declaration import json_schema
from gateway.serve.discover import find
from gateway.serve.shown import setup_to_plain
from tests.config.helpers import ENVIRON, GOOD, HEAD, PROVIDERS, good, mistakes, with_provider, with_wallet

CONFIG = Path(__file__).parents[2] / "config"
EXAMPLE_SECRETS = (
    "ADMIN_KEY", "KYREN_API_KEY", "KYREN_PATH_TOKEN", "SLOTS_SECRET", "SLOTS_SECRET_OLD", "POINTS_API_KEY",
    "POINTS_SECRET_KEY", "LIVE_WALLET_KEY", "ACME_SECRET",
)  # fmt: skip


@pytest.mark.parametrize("name", ["gateway.yaml", "minimal.yaml"])
def test_the_examples_are_right(name: str) -> None:
    environ = dict.fromkeys(EXAMPLE_SECRETS, "secret") | {"WALLET_SECRET": ENVIRON["WALLET"]}
    loaded = load(CONFIG / name, environ)
    assert loaded.setup.providers
    assert not loaded.no_way
    assert (CONFIG / name).read_text().startswith("# yaml-language-server: $schema=schema.json\n")


def test_the_schema_is_the_declaration() -> None:
    assert msgspec.json.decode((CONFIG / "schema.json").read_bytes()) == json_schema(), (
        "config/schema.json is out of date: gateway check --schema > config/schema.json"
    )


def test_defaults(tmp_path: Path) -> None:
    loaded = good(tmp_path)
    wallet, provider = loaded.setup.wallets["main"], loaded.setup.providers["acme"]
    assert (loaded.server.max_body, loaded.server.demo, loaded.server.tls) == (65536, False, None)
    assert loaded.retention.decided == timedelta(days=35)
    assert loaded.journal.path == str(tmp_path / "var/journal.db")
    assert (wallet.answer_within, wallet.give_up_after) == (timedelta(seconds=2.5), timedelta(seconds=30))
    assert (wallet.in_flight_max, wallet.remembers) == (timedelta(minutes=2), timedelta(hours=48))
    assert wallet.tombstones
    assert wallet.ids_as_is
    assert wallet.repeats == {"debit": "safe", "credit": "safe", "rollback": "safe"}
    assert (provider.id, provider.after_doubt, provider.brand, provider.currency) == ("acme", None, "", "")


@pytest.mark.parametrize(
    ("url", "path"),
    [("sqlite:///a/b.db", "{folder}/a/b.db"), ("sqlite:////a/b.db", "/a/b.db"), ("sqlite:///:memory:", ":memory:")],
)
def test_where_the_journal_is(tmp_path: Path, url: str, path: str) -> None:
    loaded = good(tmp_path, GOOD.replace("sqlite:///var/journal.db", url))
    assert loaded.journal.path == path.format(folder=tmp_path)


def test_limits_are_merged_with_the_dialects_own(tmp_path: Path) -> None:
    key = "dialect: scorpio_play, keys: [{id: k, secret: {env: SECRET}}]"
    both = good(tmp_path, with_provider(f"{{{key}, answer_within: {{debit: 3s}}}}")).setup.providers["other"]
    assert both.limit(Kind.DEBIT) == timedelta(seconds=3)
    assert both.limit(Kind.CREDIT) == good(tmp_path).setup.providers["acme"].limit(Kind.CREDIT)
    one = good(tmp_path, with_provider(f"{{{key}, answer_within: 9s}}")).setup.providers["other"]
    assert one.answer_within == {"default": timedelta(seconds=9)}


def test_what_a_dialect_makes_of_doubt_holds_where_nothing_is_said(tmp_path: Path) -> None:
    """Tom Horn's page: no rollback follows Code 1, so the gateway's own does, at once."""
    key = "dialect: tom_horn, keys: [{id: k, partner_id: P7, secret: {env: SECRET}}]"
    own = good(tmp_path, with_provider(f"{{{key}}}")).setup.providers
    assert (own["other"].after_doubt, own["acme"].after_doubt) == (timedelta(0), None)
    shown = setup_to_plain(good(tmp_path, with_provider(f"{{{key}}}")).setup)["providers"]
    assert (shown["other"]["after_doubt"], shown["acme"]["after_doubt"]) == ("0s", None)
    said = good(tmp_path, with_provider(f"{{{key}, after_doubt: {{silent: 10m}}}}")).setup.providers["other"]
    assert said.after_doubt == timedelta(minutes=10)


def test_secrets_from_files_lose_their_line_end(tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("from-a-file\n")
    text = "{dialect: scorpio_play, keys: [{id: k, secret: {file: secret.txt}, until: 2026-12-01T00:00:00Z}]}"
    key = good(tmp_path, with_provider(text)).setup.providers["other"].keys[0]
    assert key.part("secret") == "from-a-file"
    assert key.until == datetime(2026, 12, 1, tzinfo=UTC)
    assert "from-a-file" not in repr(key)


def test_literal_secrets_in_a_demo(tmp_path: Path) -> None:
    demo = GOOD.replace('8080"}', '8080", demo: true}').replace("{env: SECRET}", "plain")
    loaded = good(tmp_path, demo)
    assert loaded.setup.providers["acme"].keys[0].part("secret") == "plain"
    assert loaded.server.demo


def test_settings_are_typed(tmp_path: Path) -> None:
    text = "{dialect: netgaming, guard: {networks: [10.0.0.0/8]}, settings: {wire_scale: iso4217, default_country: NO}}"
    settings = good(tmp_path, with_provider(text)).setup.providers["other"].settings
    assert (settings.wire_scale, settings.default_country) == ("iso4217", "NO")


def test_routes(tmp_path: Path) -> None:
    (tmp_path / "games.csv").write_text("# ours, theirs\n\na1, b1\n")
    route = (
        "routes:\n  - when: {provider: acme, currency: [EUR], player: '^vip-'}\n    wallet: main\n"
        '    players: {to_wallet: "x-{player}-y"}\n    games: {file: games.csv}\n    sessions: {to_wallet: "{player}"}\n'
    )
    loaded = good(tmp_path, GOOD.replace("routes: [{wallet: main}]\n", route))
    found = loaded.setup.routes[0]
    assert found.providers == frozenset({"acme"})
    assert found.games == {"a1": "b1"}
    assert found.player_in(found.player_out("p-1")) == "p-1"


def test_currencies_of_ones_own(tmp_path: Path) -> None:
    loaded = good(tmp_path, GOOD + "currencies: {BTC: 8, EUR: 2}\n")
    assert loaded.setup.currencies.digits("BTC") == 8


def test_a_provider_that_no_route_could_fit_may_load_but_is_told(tmp_path: Path) -> None:
    text = with_provider("{dialect: scorpio_play, keys: [{id: k, secret: {env: SECRET}}]}")
    loaded = good(tmp_path, text.replace("wallet: main}]", "wallet: main, when: {provider: acme}}]"))
    assert [str(problem).removeprefix(f"{tmp_path}/") for problem in loaded.no_way] == [
        "gateway.yaml:7:3: the provider other has no way at all: no route could ever fit "
        "(add other to a route's when.provider)"
    ]


def test_a_brand_that_no_route_wants_has_no_way(tmp_path: Path) -> None:
    text = GOOD.replace("{dialect: scorpio_play,", "{dialect: scorpio_play, brand: a,")
    assert good(tmp_path, text.replace("wallet: main}]", "wallet: main, when: {brand: b}}]")).no_way
    assert not good(tmp_path, text.replace("wallet: main}]", "wallet: main, when: {brand: [a, b]}}]")).no_way


def test_providers_and_routes_may_be_missing(tmp_path: Path) -> None:
    assert good(tmp_path, HEAD).setup.providers == {}


def test_a_wallet_says_what_differs_from_its_dialect(tmp_path: Path) -> None:
    text = "{dialect: native, url: 'http://[::1]:1/', repeats: {debit: never, credit: query, rollback: safe}, "
    text += "keys: [{id: w, secret: {env: WALLET}}], tombstones: false, ids: alias, send: {headers: {X-A: b}}}"
    wallet = good(tmp_path, with_wallet(text)).setup.wallets["other"]
    assert not wallet.tombstones
    assert not wallet.ids_as_is
    assert wallet.url == "http://[::1]:1"
    assert wallet.send.headers == {"X-A": "b"}


def test_each_kind_follows_the_word_of_what_it_does_to_the_purse(tmp_path: Path) -> None:
    """A hold takes, so it is asked again as a bet is; a correction as its sign says (rule 14)."""
    text = "{dialect: netgaming, url: 'https://w.example', repeats: {debit: never, credit: applied, rollback: safe}}"
    wallet = good(tmp_path, with_wallet(text)).setup.wallets["other"]
    one = Decimal(1)
    takes = (
        Debit(amount=one), Settle(debit=one, credit=one), Reserve(amount=one), Capture(reference="h"), Release(reference="h"),
        Adjust(amount=-one),
    )  # fmt: skip
    assert {wallet.repeats[repeats_as(act)] for act in takes} == {"never"}
    gives = (Adjust(amount=one), Credit(amount=one), Rollback(reference="b"))
    assert [wallet.repeats[repeats_as(act)] for act in gives] == ["applied", "applied", "safe"]


def test_a_wallet_is_the_same_by_dialect_address_and_ids(tmp_path: Path) -> None:
    """Another key, limit or `repeats` does not make it another one; what the journal kept must say so."""
    body = "dialect: netgaming, repeats: safe, url: "

    def wallet(rest: str) -> Wallet:
        return good(tmp_path, with_wallet(f"{{{body}{rest}}}")).setup.wallets["other"]

    here = wallet("'https://w.example/'")
    assert re.fullmatch("[0-9a-f]{12}", here.place)
    assert wallet("'https://w.example', in_flight_max: 9m, currency: EUR").place == here.place
    others = [
        wallet("'https://w.example/api'"),
        replace(here, ids_as_is=True),
        replace(here, dialect=find("native").dialect),
    ]
    assert len({other.place for other in (here, *others)}) == 4
    assert all(not other.is_at(here.place) and other.is_at(other.place) and other.is_at("") for other in others)
    moved = wallet("'https://new.example', moved_from: 'https://w.example'")
    assert moved.is_at(here.place)
    assert moved.is_at(moved.place)
    assert not moved.is_at(others[0].place)
    assert (here.moved_from_place, moved.moved_from_place) == ("", here.place)


def test_several_providers_of_one_text(tmp_path: Path) -> None:
    assert list(good(tmp_path, HEAD + PROVIDERS + PROVIDERS.split("\n", 1)[1].replace("acme", "b-2")).setup.providers) == [
        "acme", "b-2",
    ]  # fmt: skip


LATE = """
version: 1
server: {listen: "127.0.0.1:8080", demo: true}
admin: {listen: "127.0.0.1:9090"}
journal: {url: "sqlite:///var/journal.db"}
providers:
  acme: {dialect: valkyrie_pam, keys: [{id: k1, api_key: one}]}
wallets:
  main:
    dialect: valkyrie_pam
    url: https://pam.example
    keys: [{id: k1, api_key: one%s}]
    repeats: {debit: query, credit: applied, rollback: applied}
routes: [{wallet: main}]
"""


@pytest.mark.parametrize(("more", "parts"), [("", {}), (", late_token: two", {"late_token": "two"})])
def test_a_part_of_a_key_that_may_be_missing(tmp_path: Path, more: str, parts: dict[str, str]) -> None:
    (key,) = good(tmp_path, LATE % more).setup.wallets["main"].keys
    assert key.parts == {"api_key": "one", **parts}


def test_such_a_part_belongs_to_its_end_and_does_not_stand_for_the_others(tmp_path: Path) -> None:
    at_the_provider = (LATE % "").replace(
        "keys: [{id: k1, api_key: one}]}", "keys: [{id: k1, api_key: one, late_token: two}]}"
    )
    assert any("late_token belongs to the wallet's end" in each for each in mistakes(tmp_path, at_the_provider))
    alone = (LATE % "").replace("keys: [{id: k1, api_key: one}]\n", "keys: [{id: k1, late_token: two}]\n")
    assert any("the key has no api_key" in each for each in mistakes(tmp_path, alone))
