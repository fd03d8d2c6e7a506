"""What Valkyrie's PAM asks of the engine: a cancel that has its bet's id, a status by an id alone, a session that is over.

Each is a fact of a dialect (`also_named`, `status_by`, `kept_by`, a key's stand-in); Valkyrie is the one that declares them.
"""

from __future__ import annotations

import json
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from gateway.auth.keys import Key
from gateway.engine.setup import Route
from gateway.http import Request, Response
from gateway.model import Authenticate, Credit, Debit, Declined, Kind, Reason, Rollback
from tests.engine.acts import bet, undo, win, yes
from tests.engine.conftest import MakeBench
from tests.engine.histories import ACCEPTED, DOUBT, nothing_is_open, word
from tests.simulation.behaviours import Post, lost_after, lost_before, says, unreachable
from tests.simulation.bench import PLAYER, SESSION, Bench, a_call, a_provider, a_wallet

WHOLE = Decimal("1000.00")
QUERIED = {"debit": "query", "credit": "applied", "rollback": "applied"}
KEY = {"api_key": "vk-test-key"}
LATE = "vk-late-token-0123456789abcdef012345"
NO_SESSION = Declined(reason=Reason.NOT_AUTHENTICATED)


def said(bench: Bench, type: str, id: str, *, ref: str = "", cash: str = "0", promo: str = "0", **more: Any) -> str:
    """A movement as Valkyrie says it; `OK` or the code."""
    body = {
        "transactionType": type, "providerTransactionId": id, "providerRoundId": "r-1", "providerGameId": "g-1",
        "cashAmount": cash, "bonusAmount": "0", "promoAmount": promo, "currency": "EUR", "isGameOver": False, **more,
    }  # fmt: skip
    body = {name: value for name, value in body.items() if value is not None}
    body |= {"providerBetRef": ref} if ref else {}
    answer = asked(bench, "POST", "transactions", body)
    bench.rest(1)
    return str(answer["error"]["code"] if "error" in answer else answer["status"])


def asked(bench: Bench, method: str, path: str, body: Any = None, query: str = "") -> Any:
    request = Request(
        method=method, path=f"/players/{PLAYER}/{path}", query=f"provider=evolution{query}",
        headers={"authorization": "Bearer vk-test-key", "x-player-token": SESSION},
        body=json.dumps(body).encode() if body is not None else b"",
    )  # fmt: skip
    return json.loads(bench.raw(request).body)


def listed(bench: Bench, **query: str) -> list[tuple[str, str]]:
    """(type, id) of each, or the code."""
    answer = asked(bench, "GET", "transactions", query="".join(f"&{name}={value}" for name, value in query.items()))
    if "error" in answer:
        return [("", answer["error"]["code"])]
    return [(each["transactionType"], each["providerTransactionId"]) for each in answer["transactions"]]


# ---------------------------------------------------------------- a cancel that has its bet's id


@pytest.mark.parametrize("wallet", ["native", "netgaming", "kyren", "valkyrie_pam"])
@pytest.mark.parametrize("ref", ["", "group-7", "e-1"])
def test_rule_15_a_cancel_may_have_the_id_of_its_bet(bench_of: MakeBench, wallet: str, ref: str) -> None:
    """*Evolution's cancel named the group of its bet: nobody knew that id, and the stake stayed taken.*"""
    bench = bench_of("valkyrie_pam", wallet)
    assert said(bench, "WITHDRAW", "e-1", ref=ref, cash="10.00") == "OK"
    assert bench.till.balance() == Decimal("990.00")
    assert said(bench, "CANCEL", "e-1", ref=ref, cash="10.00") == "OK"
    assert bench.till.balance() == WHOLE
    assert said(bench, "CANCEL", "e-1", ref=ref, cash="10.00") == "OK"  # the same cancel again
    assert said(bench, "CANCEL", "x-2", ref="e-1") == "PAM_ERR_TRANS_ALREADY_CANCELLED"  # another one
    assert bench.till.balance() == WHOLE
    nothing_is_open(bench)


@pytest.mark.parametrize("ref", ["", "group-7", "e-1"])
def test_rule_15_the_late_bet_of_such_a_cancel_is_refused(bench_of: MakeBench, ref: str) -> None:
    """*The cancel had found nothing and was told so, the bet came after it and stood.*"""
    bench = bench_of("valkyrie_pam")
    assert said(bench, "CANCEL", "e-1", ref=ref, cash="10.00") == "PAM_ERR_CANCEL_NOT_FOUND"
    assert said(bench, "WITHDRAW", "e-1", ref=ref, cash="10.00") == "PAM_ERR_TRANS_ALREADY_CANCELLED"
    assert bench.till.balance() == WHOLE
    assert bench.till.asked(Kind.DEBIT) == 0
    assert (
        said(bench, "WITHDRAW", "e-2", ref=ref and "group-8", cash="10.00") == "OK"
    )  # another bet is none of its business


def test_rule_15_what_it_names_goes_before_what_has_its_id(bench_of: MakeBench) -> None:
    """*Two bets were there, and the one that was not named was given back.*"""
    bench = bench_of("valkyrie_pam")
    assert said(bench, "WITHDRAW", "a", cash="10.00") == "OK"
    assert said(bench, "WITHDRAW", "b", cash="3.00") == "OK"
    assert said(bench, "CANCEL", "a", ref="b") == "OK"
    assert bench.till.balance() == Decimal("990.00")


@pytest.mark.parametrize("ref", ["", "group-7", "e-1"])
def test_rule_21_such_a_cancel_that_names_no_round_is_of_its_bets(bench_of: MakeBench, ref: str) -> None:
    """*The wallet was told another round than the bet's, where ids of rounds must match.*"""
    bench = bench_of("valkyrie_pam", "valkyrie_pam")
    assert said(bench, "WITHDRAW", "e-1", ref=ref, cash="10.00") == "OK"
    assert said(bench, "CANCEL", "e-1", ref=ref, cash="10.00", providerRoundId=None) == "OK"
    assert bench.till.last(Kind.ROLLBACK).round_id == bench.till.last(Kind.DEBIT).round_id
    assert bench.till.balance() == WHOLE


def test_rule_11_such_a_cancel_of_a_bet_in_doubt_is_owed(bench_of: MakeBench) -> None:
    """*The cancel meant its bet by its own id, and nobody gave the stake back once the bet was found.*"""
    bench = bench_of(
        "valkyrie_pam", a_wallet("native", repeats=dict.fromkeys(("debit", "credit", "rollback"), "query"))
    )
    bench.till.always(lost_after, Kind.DEBIT)
    bench.till.always(lost_before, Kind.STATUS)
    assert said(bench, "WITHDRAW", "e-1", ref="group-7", cash="10.00") == "PAM_ERR_UNDEFINED"
    bench.till.heal()
    said(bench, "CANCEL", "e-1", ref="group-7", cash="10.00")
    bench.settlement(600, 5)
    assert bench.till.balance() == WHOLE
    nothing_is_open(bench)


# ---------------------------------------------------------------- a status by an id alone


def test_a_status_tells_all_that_it_may_mean(bench_of: MakeBench) -> None:
    bench = bench_of("valkyrie_pam")
    assert listed(bench, providerTransactionId="a") == [("", "PAM_ERR_TRANS_NOT_FOUND")]
    assert said(bench, "WITHDRAW", "a", ref="a", cash="10.00") == "OK"
    assert said(bench, "DEPOSIT", "w", ref="a", cash="4.00") == "OK"
    assert said(bench, "WITHDRAW", "b", cash="5000.00") == "PAM_ERR_CASH_OVERDRAFT"
    assert said(bench, "PROMOWITHDRAW", "f", ref="f", promo="1.00") == "OK"
    assert said(bench, "PROMOCANCEL", "fx", ref="f") == "OK"
    assert listed(bench, providerTransactionId="a") == [("WITHDRAW", "a")]
    assert listed(bench, providerBetRef="a") == [("WITHDRAW", "a"), ("DEPOSIT", "w")]
    assert listed(bench, providerTransactionId="b") == [("", "PAM_ERR_TRANS_NOT_FOUND")]  # a declined one moved nothing
    assert listed(bench, providerTransactionId="f") == [("PROMOWITHDRAW", "f")]
    assert listed(bench, providerBetRef="f") == [("PROMOWITHDRAW", "f"), ("PROMOCANCEL", "fx")]
    assert bench.till.asked(Kind.STATUS) == 0


def test_a_status_names_the_stored_amount_of_a_cancel(bench_of: MakeBench) -> None:
    bench = bench_of("valkyrie_pam")
    said(bench, "WITHDRAW", "a", cash="10.00")
    said(bench, "CANCEL", "a")
    answer = asked(bench, "GET", "transactions", query="&providerTransactionId=a")
    assert [(each["transactionType"], each["cashAmount"]) for each in answer["transactions"]] == [
        ("WITHDRAW", 10), ("CANCEL", 10),
    ]  # fmt: skip


def test_a_status_of_what_is_in_doubt_is_doubt(bench_of: MakeBench) -> None:
    bench = bench_of("valkyrie_pam")
    bench.till.always(lost_after)
    assert said(bench, "WITHDRAW", "a", cash="10.00") == "PAM_ERR_UNDEFINED"
    assert listed(bench, providerTransactionId="a") == [("", "PAM_ERR_UNDEFINED")]


def test_a_status_tells_nobody_elses_movements(bench_of: MakeBench) -> None:
    bench = bench_of("valkyrie_pam", opening={PLAYER: WHOLE, "p-2": WHOLE})
    said(bench, "WITHDRAW", "a", cash="10.00")
    request = Request(
        method="GET", path="/players/p-2/transactions", query="provider=evolution&providerTransactionId=a",
        headers={"authorization": "Bearer vk-test-key", "x-player-token": "sess-p-2"},
    )  # fmt: skip
    assert json.loads(bench.raw(request).body)["error"]["code"] == "PAM_ERR_TRANS_NOT_FOUND"


def test_a_status_does_not_tell_what_silence_gave_back(bench_of: MakeBench) -> None:
    """*Its provider believed that the bet failed, asked, and was told that it stands.*"""
    bench = bench_of(a_provider("valkyrie_pam", after_doubt=timedelta(seconds=30)))
    bench.till.always(lost_after, Kind.DEBIT)
    assert said(bench, "WITHDRAW", "a", cash="10.00") == "PAM_ERR_UNDEFINED"
    bench.till.heal()
    bench.settlement(120)
    assert bench.till.balance() == WHOLE
    assert listed(bench, providerTransactionId="a") == [("", "PAM_ERR_TRANS_NOT_FOUND")]


def test_a_status_does_not_tell_what_is_being_given_back(bench_of: MakeBench) -> None:
    """*The rollback was on its way when its provider was told that the bet stands.*"""
    bench = bench_of(a_provider("valkyrie_pam", after_doubt=timedelta(seconds=30)))
    bench.till.always(lost_after, Kind.DEBIT)
    bench.till.always(lost_before, Kind.ROLLBACK)
    assert said(bench, "WITHDRAW", "a", cash="10.00") == "PAM_ERR_UNDEFINED"
    bench.settlement(120)
    assert listed(bench, providerTransactionId="a") == [("", "PAM_ERR_UNDEFINED")]
    bench.till.heal()
    bench.settlement(120)
    assert listed(bench, providerTransactionId="a") == [("", "PAM_ERR_TRANS_NOT_FOUND")]
    assert bench.till.balance() == WHOLE


def test_rule_12_who_was_told_by_a_status_that_a_bet_stands_has_heard_it(bench_of: MakeBench) -> None:
    """*Its provider asked and went on with the game; then the clock of the first doubt gave the stake back.*"""
    bench = bench_of(a_provider("valkyrie_pam", after_doubt=timedelta(seconds=60)))
    bench.till.always(lost_after, Kind.DEBIT)
    bench.till.always(lost_before, Kind.STATUS)
    assert said(bench, "WITHDRAW", "a", cash="10.00") == "PAM_ERR_UNDEFINED"
    bench.till.heal()
    bench.settlement(10)
    assert listed(bench, providerTransactionId="a") == [("WITHDRAW", "a")]
    bench.settlement(300)
    assert listed(bench, providerTransactionId="a") == [("WITHDRAW", "a")]
    assert bench.till.balance() == Decimal("990.00")
    nothing_is_open(bench)


def test_a_round_is_told_from_the_journal(bench_of: MakeBench) -> None:
    bench = bench_of("valkyrie_pam")
    assert asked(bench, "GET", "gamerounds/r-1")["error"]["code"] == "PAM_ERR_ROUND_NOT_FOUND"
    said(bench, "WITHDRAW", "a", cash="10.00", transactionDateTime="2026-11-20T10:15:30Z")
    begun = asked(bench, "GET", "gamerounds/r-1")["gameround"]
    assert begun == {"providerGameId": "g-1", "providerRoundId": "r-1", "startTime": "2026-11-20T10:15:30Z"}
    said(bench, "DEPOSIT", "w", ref="a", isGameOver=True, transactionDateTime="2026-11-20T10:15:50Z")
    assert asked(bench, "GET", "gamerounds/r-1")["gameround"] == begun | {"endTime": "2026-11-20T10:15:50Z"}


# ---------------------------------------------------------------- a session that is over


def at(wallet_key: dict[str, str], **more: Any) -> dict[str, Any]:
    """A Valkyrie wallet with such a key, and no session that a route makes up."""
    given = {"repeats": QUERIED, **more}
    wallet = a_wallet("valkyrie_pam", keys=(Key(id="k", parts=wallet_key),), **given)
    return {"wallet": wallet, "routes": (Route(wallet=wallet.name),)}


def tokens(bench: Bench, kind: Kind) -> list[str]:
    return [tx.session for tx in bench.till.sent if tx.kind is kind]


@pytest.mark.parametrize(
    "make", [lambda: win("w", of="b"), lambda: undo("x", "b", "10.00")], ids=["credit", "rollback"]
)
def test_rule_22_a_session_that_was_refused_is_stood_in_for(bench_of: MakeBench, make: Any) -> None:
    """*The player had logged out: the win was refused under the dead session for days.*"""
    bench = bench_of(**at({**KEY, "late_token": LATE}))
    yes(bench.call(bet("b")))
    tx = make()
    bench.till.then(says(NO_SESSION), kind=tx.kind)
    assert word(bench.call(tx)) == ACCEPTED
    assert tokens(bench, tx.kind) == [SESSION, LATE]
    assert tokens(bench, Kind.DEBIT) == [SESSION]
    assert bench.row(tx.kind, tx.id).attempts == 1
    nothing_is_open(bench)


def test_rule_22_without_such_a_token_it_is_owed(bench_of: MakeBench) -> None:
    """A dead session refuses no win for good."""
    bench = bench_of(**at(KEY))
    yes(bench.call(bet("b")))
    bench.till.always(says(NO_SESSION), Kind.CREDIT)
    assert word(bench.call(win("w", of="b"))) == DOUBT
    bench.till.heal()
    bench.settlement(60)
    assert bench.till.balance() == Decimal("1015.00")
    nothing_is_open(bench)


def test_rule_22_a_bet_has_its_session_or_none(bench_of: MakeBench) -> None:
    """A stake is never asked under the operator's own token."""
    bench = bench_of(**at({**KEY, "late_token": LATE}))
    bench.till.then(says(NO_SESSION), kind=Kind.DEBIT)
    assert word(bench.call(bet("b"))) == Reason.NOT_AUTHENTICATED
    assert tokens(bench, Kind.DEBIT) == [SESSION]


def test_rule_22_no_bet_goes_under_the_late_token(bench_of: MakeBench) -> None:
    """The same where it came with no session at all."""
    bench = bench_of(**at({**KEY, "late_token": LATE}))
    assert word(bench.call(bet("b", session=""))) == Reason.NOT_AUTHENTICATED
    assert bench.till.asked(Kind.DEBIT) == 0


def test_rule_22_a_win_that_nobody_knows_a_session_for(bench_of: MakeBench) -> None:
    """It is told under what stands in a session's place."""
    bench = bench_of(**at({**KEY, "late_token": LATE}))
    assert word(bench.call(win("w", session=""))) == ACCEPTED
    assert tokens(bench, Kind.CREDIT) == [LATE]


def test_rule_04_silence_after_the_first_refusal_is_doubt(bench_of: MakeBench) -> None:
    """The session was refused, the second request left, and nothing came back."""
    bench = bench_of(**at({**KEY, "late_token": LATE}))
    bench.till.then(says(NO_SESSION), lost_after, kind=Kind.CREDIT)
    bench.till.always(unreachable, Kind.CREDIT)
    assert word(bench.call(win("w"))) == DOUBT
    bench.till.heal()
    bench.settlement(60)
    assert bench.till.balance() == Decimal("1025.00")
    nothing_is_open(bench)


def test_rule_10_each_asking_is_an_attempt_of_its_own(bench_of: MakeBench) -> None:
    """It is written before a byte of it leaves, and what is in flight is counted from then on."""
    bench = bench_of(**at({**KEY, "late_token": LATE}))

    async def slowly(post: Post) -> Response:
        await post.bench.scheduler.sleep(2)
        return post.till.words(NO_SESSION, post.request)

    bench.till.then(slowly, kind=Kind.CREDIT)
    begun = bench.scheduler.clock()
    bench.call(win("w"))
    bench.rest(5)
    row = bench.row(Kind.CREDIT, "w")
    assert tokens(bench, Kind.CREDIT) == [SESSION, LATE]
    assert row.asked_at is not None
    assert row.asked_at - begun >= timedelta(seconds=2)
    assert bench.till.balance() == Decimal("1025.00")
    nothing_is_open(bench)


@pytest.mark.parametrize("repeats", ["safe", "applied", "query"])
def test_rule_14_what_was_refused_at_its_only_asking_is_asked_as_a_first_one(bench_of: MakeBench, repeats: str) -> None:
    """Nothing of it moved and nothing is on its way, so also a wallet that is to be asked first is told it at once."""
    bench = bench_of(**at({**KEY, "late_token": LATE}, repeats={**QUERIED, "credit": repeats}))
    bench.till.then(says(NO_SESSION), kind=Kind.CREDIT)
    assert word(bench.call(win("w"))) == ACCEPTED
    assert tokens(bench, Kind.CREDIT) == [SESSION, LATE]
    assert bench.till.asked(Kind.STATUS) == 0
    assert bench.row(Kind.CREDIT, "w").attempts == 1


def test_rule_14_never_is_never(bench_of: MakeBench) -> None:
    """No further attempt, whatever the first one heard: for a person."""
    bench = bench_of(**at({**KEY, "late_token": LATE}, repeats={**QUERIED, "credit": "never"}))
    bench.till.always(says(NO_SESSION), kind=Kind.CREDIT)
    assert word(bench.call(win("w"))) == DOUBT
    bench.settlement(600, 5)
    assert tokens(bench, Kind.CREDIT) == [SESSION]


@pytest.mark.parametrize("repeats", ["applied", "query"])
def test_rule_05_a_session_refused_after_doubt_is_no_first_refusal(bench_of: MakeBench, repeats: str) -> None:
    """The first one may be queued, or was applied: the third asking is a repeat, and a wallet that must be asked first is."""
    bench = bench_of(**at({**KEY, "late_token": LATE}, repeats={**QUERIED, "credit": repeats}))
    bench.till.then(lost_after, kind=Kind.CREDIT)
    bench.till.then(says(NO_SESSION), kind=Kind.CREDIT)
    bench.call(win("w"))
    bench.settlement(600, 5)
    assert tokens(bench, Kind.CREDIT) == ([SESSION, SESSION, LATE] if repeats == "applied" else [SESSION])
    assert bench.till.balance() == Decimal("1025.00")
    nothing_is_open(bench)


def test_rule_22_a_rollback_that_was_refused_after_doubt_gives_back_once(bench_of: MakeBench) -> None:
    """*The first had been done: it was asked again, found its own deed, and counted.*"""
    bench = bench_of(**at({**KEY, "late_token": LATE}))
    yes(bench.call(bet("b")))
    bench.till.then(lost_after, kind=Kind.ROLLBACK)
    bench.till.then(says(NO_SESSION), kind=Kind.ROLLBACK)
    bench.call(undo("x", "b", "10.00"))
    bench.settlement(60, 5)
    assert tokens(bench, Kind.ROLLBACK) == [SESSION, SESSION, LATE]
    assert bench.till.balance() == WHOLE
    nothing_is_open(bench)


def test_rule_22_what_is_refused_under_either_is_asked_as_seldom_as_any_other(bench_of: MakeBench) -> None:
    """The second token is no reason to ask more often."""
    often = []
    for key in (KEY, {**KEY, "late_token": LATE}):
        bench = bench_of(**at(key))
        bench.till.always(says(NO_SESSION), Kind.CREDIT)
        assert word(bench.call(win("w"))) == DOUBT
        bench.settlement(600, 5)
        often.append(len(tokens(bench, Kind.CREDIT)))
    assert often[0] == often[1]
    bench.till.heal()
    bench.settlement(600, 5)
    assert bench.till.balance() == Decimal("1025.00")
    nothing_is_open(bench)


@pytest.mark.parametrize("late", [True, False])
def test_rule_10_a_query_has_a_session(bench_of: MakeBench, late: bool) -> None:
    """*A bet had gone out under its player's last session; the query about it found none, and it waited for a person.*"""
    bench = bench_of(**at({**KEY, "late_token": LATE} if late else KEY))
    bench.launch()
    bench.till.then(lost_after, kind=Kind.DEBIT)
    assert word(bench.call(bet("b", session=""))) == ACCEPTED
    assert tokens(bench, Kind.STATUS) == [LATE if late else SESSION]
    assert bench.till.balance() == Decimal("990.00")


def test_rule_10_a_query_whose_session_was_refused_is_asked_again(bench_of: MakeBench) -> None:
    """A query moves nothing: it goes out once more with what stands in its place, at once."""
    bench = bench_of(**at({**KEY, "late_token": LATE}))
    bench.till.then(lost_after, kind=Kind.DEBIT)
    bench.till.then(says(NO_SESSION), kind=Kind.STATUS)
    assert word(bench.call(bet("b"))) == ACCEPTED
    assert tokens(bench, Kind.STATUS) == [SESSION, LATE]


# ---------------------------------------------------------------- what a wallet is told


def test_rule_20_the_rollback_of_a_free_bet_is_told_as_such(bench_of: MakeBench) -> None:
    """The wallet has a word of its own for it, and no cash comes back."""
    bench = bench_of(**at(KEY))
    yes(bench.call(bet("f", free=True)))
    yes(bench.call(undo("x", "f")))
    yes(bench.call(bet("b")))
    yes(bench.call(undo("y", "b")))
    acts = [tx.act for tx in bench.till.sent if tx.kind in (Kind.DEBIT, Kind.ROLLBACK)]
    assert [(type(act), act.free_round) for act in acts if isinstance(act, Debit | Rollback)] == [
        (Debit, True), (Rollback, True), (Debit, False), (Rollback, False),
    ]  # fmt: skip
    assert bench.till.balance() == WHOLE


def test_rule_03_an_alias_is_no_longer_than_its_wallet_takes(bench_of: MakeBench) -> None:
    """*Two long ids were cut to one, and the second bet was played free.*"""
    bench = bench_of(**at(KEY))
    long = "b" * 100
    yes(bench.call(bet(long)))
    yes(bench.call(bet("b" * 99 + "c")))
    yes(bench.call(undo("x", long)))
    ids = [tx.id.rpartition(":")[2] for tx in bench.till.sent if tx.kind is Kind.DEBIT]
    assert [len(id) for id in ids] == [40, 40]
    assert ids[0] != ids[1]
    undone = bench.till.last(Kind.ROLLBACK).act
    assert isinstance(undone, Rollback)
    assert undone.reference.endswith(ids[0])
    assert bench.till.balance() == Decimal("990.00")


def test_trap_1_a_win_names_no_bet_unless_it_is_asked_to(bench_of: MakeBench) -> None:
    for setting, reference in (("none", ""), ("bet", "acme:acme:debit:b")):
        bench = bench_of(**at(KEY, settings={"credit_bet_ref": setting}))
        yes(bench.call(bet("b")))
        yes(bench.call(win("w", of="b")))
        act = bench.till.last(Kind.CREDIT).act
        assert isinstance(act, Credit)
        assert act.reference == reference


def test_an_authenticate_is_a_read_or_a_renewal(bench_of: MakeBench) -> None:
    for setting, method in (("read", "GET"), ("refresh", "PUT")):
        bench = bench_of(**at(KEY, settings={"authenticate": setting}))
        found = yes(bench.call(a_call(Authenticate())))
        assert found.profile is not None
        assert found.profile.player == PLAYER
        assert bench.till.exchanges[0].request.method == method


@pytest.mark.parametrize("launched", [True, False])
def test_a_game_is_told_where_anybody_knows_it(bench_of: MakeBench, launched: bool) -> None:
    """And the request goes without where nobody does: its page asks for none."""
    bench = bench_of(**at(KEY))
    bench.launch(game="42" if launched else "")
    yes(bench.call(bet("b", game=None)))
    yes(bench.call(undo("x", "b", game=None)))
    games = [tx.game.id for tx in bench.till.sent if tx.kind in (Kind.DEBIT, Kind.ROLLBACK) and tx.game]
    assert games == ["42" if launched else ""] * 2


def test_rule_02_a_game_is_told_again_as_it_was(bench_of: MakeBench) -> None:
    """*A win was told in the game of its player's launch, and asked again in that of the next one: to a wallet that looks
    whether the game is the same it was another movement under a used id, and waited for a person.*"""
    bench = bench_of(**at(KEY))
    bench.launch(game="7")
    bench.till.always(lost_after, Kind.CREDIT)
    bench.call(win("w", game=None))
    bench.launch("another", game="8")
    bench.till.heal()
    bench.settlement(600, 5)
    games = [tx.game.id for tx in bench.till.sent if tx.kind is Kind.CREDIT and tx.game]
    assert len(games) > 1
    assert set(games) == {"7"}
    nothing_is_open(bench)


# ---------------------------------------------------------------- what is the same, and what stands


def test_rule_02_another_game_is_another_movement_where_the_page_says_so(bench_of: MakeBench) -> None:
    """Player, game and round must match; an amount is compared everywhere."""
    bench = bench_of("valkyrie_pam")
    assert said(bench, "WITHDRAW", "a", cash="10.00") == "OK"
    assert said(bench, "WITHDRAW", "a", cash="10.00", providerGameId="g-2") == "PAM_ERR_DUPLICATE_TRANS"
    assert said(bench, "WITHDRAW", "a", cash="10.00", providerRoundId="r-2") == "PAM_ERR_DUPLICATE_TRANS"
    assert said(bench, "WITHDRAW", "a", cash="10.01") == "PAM_ERR_DUPLICATE_TRANS"
    assert said(bench, "WITHDRAW", "a", cash="10.000000", transactionDateTime="2026-11-20T10:15:30Z") == "OK"
    assert bench.till.balance() == Decimal("990.00")


@pytest.mark.parametrize("wallet", ["native", "valkyrie_pam"])
@pytest.mark.parametrize(("ref", "cash"), [("a", "4.00"), ("", "4.00"), ("a", "0")])
def test_rule_15_a_paid_bet_is_not_cancelled(bench_of: MakeBench, wallet: str, ref: str, cash: str) -> None:
    """*A win was paid, its bet cancelled afterwards, and the stake was given back beside it.*"""
    bench = bench_of("valkyrie_pam", wallet)
    assert said(bench, "WITHDRAW", "a", cash="10.00") == "OK"
    assert said(bench, "DEPOSIT", "w", ref=ref, cash=cash) == "OK"
    assert said(bench, "CANCEL", "a", cash="10.00") == "PAM_ERR_TRANS_ALREADY_SETTLED"
    assert said(bench, "CANCEL", "a", cash="10.00") == "PAM_ERR_TRANS_ALREADY_SETTLED"
    assert bench.till.balance() == Decimal("990.00") + Decimal(cash)
    assert bench.till.asked(Kind.ROLLBACK) == 0
    nothing_is_open(bench)


def test_rule_15_another_bets_win_does_not_keep_a_cancel(bench_of: MakeBench) -> None:
    """A win ties to the bet that it names, or to the only one of its round."""
    bench = bench_of("valkyrie_pam")
    said(bench, "WITHDRAW", "a", cash="10.00")
    said(bench, "WITHDRAW", "b", cash="10.00")
    said(bench, "DEPOSIT", "w", ref="b", cash="4.00")
    assert said(bench, "CANCEL", "a", cash="10.00") == "OK"
    assert bench.till.balance() == Decimal("994.00")


def test_rule_15_a_second_cancel_hears_of_the_first_whatever_came_since(bench_of: MakeBench) -> None:
    """The bet was given back before the win came: that is what it hears."""
    bench = bench_of("valkyrie_pam")
    said(bench, "WITHDRAW", "a", cash="10.00")
    assert said(bench, "CANCEL", "a", cash="10.00") == "OK"
    said(bench, "DEPOSIT", "w", ref="a", cash="4.00")
    assert said(bench, "CANCEL", "x-2", ref="a") == "PAM_ERR_TRANS_ALREADY_CANCELLED"


def test_rule_15_a_cancel_waits_for_the_win_of_its_bet(bench_of: MakeBench) -> None:
    """*The win was in doubt, its bet was cancelled beside it, and then it was paid.*"""
    bench = bench_of("valkyrie_pam")
    said(bench, "WITHDRAW", "a", cash="10.00")
    bench.till.always(unreachable, Kind.CREDIT)
    assert said(bench, "DEPOSIT", "w", cash="4.00") == "PAM_ERR_UNDEFINED"  # it names no bet: this is the only one
    assert said(bench, "CANCEL", "a", cash="10.00") == "PAM_ERR_UNDEFINED"
    bench.till.heal()
    assert said(bench, "CANCEL", "a", cash="10.00") == "PAM_ERR_TRANS_ALREADY_SETTLED"
    bench.settlement(600, 5)
    assert bench.till.balance() == Decimal("994.00")
    assert bench.till.asked(Kind.ROLLBACK) == 0
    nothing_is_open(bench)
