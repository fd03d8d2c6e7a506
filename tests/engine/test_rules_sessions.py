"""Rules 21 to 23: who plays, in what currency, and where it goes."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from decimal import Decimal

import pytest
from msgspec.structs import replace

from gateway.engine.setup import Route
from gateway.engine.states import State
from gateway.model import (
    Accepted,
    Act,
    Authenticate,
    Balance,
    Batch,
    CloseRound,
    CloseSession,
    Credit,
    Declined,
    Game,
    Kind,
    Notice,
    Profile,
    Reason,
    Reserve,
    Status,
    Transaction,
    Unknown,
)
from gateway.model import Check as CheckAct
from tests.engine.acts import balance, bet, settle, undo, why, win, yes
from tests.engine.conftest import MakeBench
from tests.simulation.behaviours import lost_before, says
from tests.simulation.bench import PLAYER, SESSION, Bench, a_call, a_provider, a_wallet, at_once

NOWHERE: tuple[Route, ...] = ()


def hello(session: str = SESSION) -> object:
    """A launch as NetGaming says it: a token, and nothing else."""
    return a_call(Authenticate(), session=session, player="", currency="", round_id="", game=None)


# ---------------------------------------------------------------- 21


def test_rule_21_the_launch_fills_player_and_currency(bench_of: MakeBench) -> None:
    """Dragon Gaming's get_session says a token; the operator handed it over."""
    bench = bench_of("dragon_gaming", "native")
    bench.launch()
    heard = yes(bench.call(hello()))  # type: ignore[arg-type]  # a transaction
    assert (heard.profile and heard.profile.player, heard.currency) == (PLAYER, "EUR")


def test_rule_21_a_session_ends_in_the_currency_that_its_player_played_in(bench_of: MakeBench) -> None:
    """Kyren's SessionExpired says no currency: the integration's own was told instead, the wallet had no purse
    in it, and the provider heard that its notification had bad parameters."""
    bench = bench_of("kyren", "native")
    bench.till.purse.open(PLAYER, "USD", Decimal("100.00"))
    yes(bench.call(bet("b1", currency="USD")))
    yes(bench.call(a_call(CloseSession(), currency="", round_id="", game=None)))
    assert bench.till.last(Kind.CLOSE_SESSION).currency == "USD"


@pytest.mark.parametrize("provider", ["netgaming", "dragon_gaming"])
def test_rule_08_an_authenticate_without_a_balance_is_followed_by_a_balance_call(
    bench_of: MakeBench, provider: str
) -> None:
    """Native leaves out what it does not know, GetSession cannot: nobody could launch a game."""
    bench = bench_of(provider, "native")
    bench.till.always(says(Accepted(currency="EUR", profile=Profile(player=PLAYER))), kind=Kind.AUTHENTICATE)
    heard = yes(bench.call(hello()))  # type: ignore[arg-type]  # a transaction
    assert (heard.profile and heard.profile.player, heard.balance) == (PLAYER, Decimal("1000.00"))


def test_rule_21_a_session_nobody_knows_is_asked_of_the_wallet_and_remembered(bench_of: MakeBench) -> None:
    """Routed by what is known, and from then on like a launch."""
    bench = bench_of("netgaming", "netgaming")
    yes(bench.call(hello()))  # type: ignore[arg-type]  # a transaction
    asked = bench.till.asked(Kind.AUTHENTICATE)
    assert asked == 1
    yes(bench.call(bet("t1")))
    assert bench.till.asked(Kind.AUTHENTICATE) == asked
    bench.crash()
    bench.restart()
    yes(bench.call(win("w1")))
    assert bench.till.balance() == Decimal("1015.00")


def test_rule_21_a_declined_one_declines_the_read_with_its_reason(bench_of: MakeBench) -> None:
    """The wallet does not know the session."""
    bench = bench_of("netgaming", "netgaming")
    bench.till.always(says(Declined(reason=Reason.SESSION_EXPIRED)), Kind.AUTHENTICATE)
    bench.call(hello("sess-gone"))  # type: ignore[arg-type]  # a transaction
    assert bench.answers[-1].reason in (Reason.SESSION_EXPIRED, Reason.NOT_AUTHENTICATED)


def test_rule_21_kyrens_bonus_win_takes_the_currency_of_the_last_call(bench_of: MakeBench) -> None:
    """BonusWin and JackpotWin carry none; the integration's is not this player's."""
    bench = bench_of(
        a_provider("kyren", currency="EUR"), a_wallet("native", currency="USD"), currency="USD",
    )  # fmt: skip
    yes(bench.call(bet("b1", currency="USD")))
    bonus = replace(win("bw1", "5.00", currency="USD"), act=Credit(amount=Decimal("5.00"), type="bonus"))
    yes(bench.call(bonus))
    assert bench.till.last(Kind.CREDIT).currency == "USD"
    assert bench.till.balance() == Decimal("995.00")


@pytest.mark.parametrize(("kind", "state"), [(Kind.DEBIT, State.DECLINED), (Kind.CREDIT, State.PERSON)])
def test_rule_21_a_currency_that_nobody_knows(bench_of: MakeBench, kind: Kind, state: State) -> None:
    """A debit is declined; a win is doubt, and waits for a person."""
    bench = bench_of(a_provider("gameball", currency=""), "native")
    call = bet("t1") if kind is Kind.DEBIT else win("t1")
    bench.call(call)
    assert bench.answers[-1].outcome == ("declined" if kind is Kind.DEBIT else "unknown")
    assert bench.row(kind, "t1").state is state
    assert bench.till.asked() == 0


def test_rule_21_an_amount_is_checked_once_its_currency_is_known(bench_of: MakeBench) -> None:
    """Half a yen is nothing: Gameball's wire names no currency, the launch does."""
    bench = bench_of(a_provider("gameball", currency=""), a_wallet("native", currency="JPY"), currency="JPY")
    bench.launch(currency="JPY")
    bench.call(bet("t1", "10.50"))
    assert bench.answers[-1].reason == Reason.INVALID_REQUEST
    assert bench.till.asked() == 0


PLAIN = (Route(wallet="main"),)  # no session is made from the player's name
WANT_A_SESSION = ["netgaming", "dragon_gaming", "kyren"]


@pytest.mark.parametrize("wallet", WANT_A_SESSION)
@pytest.mark.parametrize("provider", ["native", "scorpio_play"])
def test_rule_21_a_debit_without_the_session_that_its_wallet_wants(
    bench_of: MakeBench, provider: str, wallet: str
) -> None:
    """The player was told that his game is not supported, and had only to log in."""
    bench = bench_of(provider, wallet, routes=PLAIN)
    bench.call(bet("t1", session=""))
    assert bench.answers[-1].reason == Reason.NOT_AUTHENTICATED
    assert bench.row(Kind.DEBIT, "t1").state is State.DECLINED
    assert isinstance(bench.call(win("w1", session="", round_id="7")), Unknown)
    assert bench.row(Kind.CREDIT, "w1").state is State.PERSON
    assert bench.till.sent == []
    bench.launch()
    yes(bench.call(bet("t2", session="")))


@pytest.mark.parametrize("wallet", WANT_A_SESSION)
@pytest.mark.parametrize("act", [Balance(), CheckAct(), Authenticate(), Authenticate(launch_token="unknown")])
def test_rule_21_a_read_without_the_session_that_its_wallet_wants(bench_of: MakeBench, wallet: str, act: Act) -> None:
    """Nobody was asked whether this player may play, and the provider heard yes."""
    bench = bench_of("native", wallet, routes=PLAIN)
    asked = a_call(act, session="", currency="", round_id="", game=None)
    assert why(bench.call(asked)) is Reason.NOT_AUTHENTICATED
    assert bench.till.sent == []
    bench.launch(game="42")
    yes(bench.call(asked))


def test_rule_21_what_is_told_and_asks_for_nothing_needs_no_session(bench_of: MakeBench) -> None:
    """A round that is closed, a session that is over: no wallet that wants a session is in its way."""
    bench = bench_of("native", "netgaming", routes=PLAIN)
    for act in (CloseRound(), CloseSession(), Notice()):
        yes(bench.call(a_call(act, session="")))
    assert bench.till.sent == []


def test_rule_21_a_settle_and_a_batch_hear_it_too(bench_of: MakeBench) -> None:
    """Of a bet that is one of several."""
    bench = bench_of("native", "netgaming", routes=PLAIN)
    assert why(bench.call(settle("s1", session=""))) is Reason.NOT_AUTHENTICATED
    both = Batch(items=(bet("b1", session=""), bet("b2", session="", round_id="7")), atomic=True)
    assert why(bench.call(a_call(both, session=""))) is Reason.NOT_AUTHENTICATED
    assert bench.till.sent == []


def test_rule_21_a_debit_without_the_game_that_its_wallet_wants_is_unsupported(bench_of: MakeBench) -> None:
    """No login would help: its provider never says one, and no launch did."""
    bench = bench_of("native", "netgaming", routes=PLAIN)
    assert why(bench.call(bet("t1", game=None))) is Reason.UNSUPPORTED


# ---------------------------------------------------------------- 22


def test_rule_22_a_wallet_that_wants_a_session_gets_the_launchs(bench_of: MakeBench) -> None:
    """Scorpio Play has none; the operator's own token goes to the wallet, not the provider's."""
    bench = bench_of("scorpio_play", "netgaming", routes=(Route(wallet="main"),))
    bench.launch("provider-token", wallet_session="wallet-token")
    yes(bench.call(bet("t1")))
    assert bench.till.last(Kind.DEBIT).session == "wallet-token"


def test_rule_22_a_token_handed_over_to_another_player_brings_nothing_of_the_first(bench_of: MakeBench) -> None:
    """One token twice: the second player's stake was told to the wallet with the first one's session there."""
    bench = bench_of("netgaming", "netgaming", opening={PLAYER: Decimal("100.00"), "p-2": Decimal("100.00")})
    bench.launch(wallet_session="of-the-first", game="42", launch_token="key-1")
    bench.rest(1)
    bench.launch(player="p-2")
    yes(bench.call(bet("t1", player="p-2")))
    assert (bench.till.last(Kind.DEBIT).player, bench.till.last(Kind.DEBIT).session) == ("p-2", SESSION)
    left = at_once(bench.journal.session(bench.provider.id, SESSION))
    assert left is not None
    assert (left.game, left.launch_token) == ("", "")


def test_rule_22_a_token_that_a_wallet_gives_out_again_is_told_to_it_as_it_is(bench_of: MakeBench) -> None:
    """It was another player's at a launch, by another name at the wallet: that name is none of this player's."""
    bench = bench_of("netgaming", "netgaming", routes=PLAIN)
    bench.launch("fresh", player="p-2", wallet_session="of-p-2")
    new = Accepted(balance=Decimal("1000.00"), currency="EUR", profile=Profile(player=PLAYER, session="fresh"))
    bench.till.then(says(new), kind=Kind.AUTHENTICATE)
    yes(bench.call(hello()))  # type: ignore[arg-type]  # a transaction
    bench.call(bet("t1", session="fresh"))
    assert bench.till.last(Kind.DEBIT).session == "fresh"


@pytest.mark.parametrize("wallet", ["native", "netgaming", "dragon_gaming"])
def test_rule_22_what_a_wallets_authenticate_says_takes_no_session_from_it(bench_of: MakeBench, wallet: str) -> None:
    """Its player is called otherwise there than the handover called him: the wallet was asked with the session that the
    operator handed over and said yes, so that is what it takes from now on."""
    bench = bench_of("native", wallet, opening={"P-1": Decimal("100.00")})
    bench.launch(wallet_session="wallet-token", brand="acme")
    named = Accepted(balance=Decimal("100.00"), currency="EUR", profile=Profile(player="P-1"))
    bench.till.always(says(named), kind=Kind.AUTHENTICATE)
    for _ in range(2):
        yes(bench.call(a_call(Authenticate(), player="P-1", currency="", round_id="", game=None)))
    yes(bench.call(bet("t1", player="P-1")))
    assert (bench.till.last(Kind.DEBIT).player, bench.till.last(Kind.DEBIT).session) == ("P-1", "wallet-token")


@pytest.mark.parametrize("wallet", ["netgaming", "dragon_gaming"])
def test_rule_21_the_game_that_a_rollback_does_not_say_is_that_of_its_bet(bench_of: MakeBench, wallet: str) -> None:
    """Not the game that the player has gone on to: its wallet keeps books by game."""
    bench = bench_of("native", wallet)
    yes(bench.call(bet("t1", game=Game(id="42"), round_id="1")))
    yes(bench.call(bet("t2", game=Game(id="43"), round_id="2")))
    yes(bench.call(undo("r1", "t1", game=None, round_id="")))
    told = bench.till.last(Kind.ROLLBACK).game
    assert told is not None
    assert told.id == "42"


@pytest.mark.parametrize("named", [True, False])
def test_rule_21_the_game_that_a_win_does_not_say_is_the_same_at_each_asking(bench_of: MakeBench, named: bool) -> None:
    """Its bet's, or that of the player's last call before it: after the first asking the last call was the win itself, nobody
    knew a game any more, and a paid win waited for a person."""
    bench = bench_of("native", "netgaming")
    yes(bench.call(bet("t1", game=Game(id="42"))))
    if named:
        yes(bench.call(bet("t2", game=Game(id="43"), round_id="2")))
    bench.till.then(lost_before, kind=Kind.CREDIT)
    bench.call(win("w1", of="t1" if named else "", game=None))
    bench.call(bet("t3", game=Game(id="44"), round_id="3"))
    bench.settlement(600)
    told = [tx.game.id for tx in bench.till.sent if tx.kind is Kind.CREDIT and tx.game is not None]
    assert told == ["42", "42"]
    assert bench.row(Kind.CREDIT, "w1").state is State.ACCEPTED


def test_rule_22_the_last_session_is_this_games_first_and_never_another_providers(bench_of: MakeBench) -> None:
    """Same provider, same player, then same game."""
    bench = bench_of(
        "scorpio_play", "netgaming", routes=(Route(wallet="main", sessions="template-{player}"),),
        providers=(a_provider("scorpio_play", "other"),),
    )  # fmt: skip
    bench.launch("of-this-game", game="42")
    bench.rest(1)
    bench.launch("of-another-game", game="43")
    yes(bench.call(bet("t1")))
    assert bench.till.last(Kind.DEBIT).session == "of-this-game"
    yes(bench.call(bet("t2", game=Game(id="44"))))
    assert bench.till.last(Kind.DEBIT).session == "of-another-game"
    yes(bench.call(bet("t1"), "other"))
    assert bench.till.last(Kind.DEBIT).session == f"template-{PLAYER}"


@pytest.mark.parametrize("provider", ["native", "netgaming", "dragon_gaming", "kyren"])
def test_rule_22_a_dead_session_never_refuses_a_credit_or_a_rollback(bench_of: MakeBench, provider: str) -> None:
    """They reach the wallet; so does the debit, and the wallet decides about it."""
    bench = bench_of(provider, "native")
    bench.launch()
    one = bet("t1")
    yes(bench.call(one))
    bench.launch(expires_at=bench.scheduler.clock() + timedelta(seconds=1))
    bench.rest(60)
    yes(bench.call(win("w1")))
    yes(bench.call(bench.undo(one, "refund:t1")))
    assert bench.till.balance() == Decimal("1025.00")


def test_rule_22_the_session_that_a_wallet_renews_replaces_the_old_one(bench_of: MakeBench) -> None:
    """Its `authenticate` answers another token; that is the one it wants from now on."""
    bench = bench_of("netgaming", "netgaming", routes=(Route(wallet="main"),))
    fresh = Accepted(
        balance=Decimal("1000.00"), currency="EUR", profile=Profile(player=PLAYER, session="fresh", country="SE")
    )
    bench.till.then(says(fresh), kind=Kind.AUTHENTICATE)
    yes(bench.call(hello()))  # type: ignore[arg-type]  # a transaction
    yes(bench.call(bet("t1")))
    assert bench.till.last(Kind.DEBIT).session == "fresh"


@pytest.mark.parametrize("wallet", ["native", "netgaming", "dragon_gaming", "kyren", "scorpio_play", "gameball"])
@pytest.mark.parametrize(
    "act", [CheckAct(), CloseRound(), CloseSession(), Notice()], ids=lambda act: type(act).__name__
)
def test_rule_20_calls_that_the_wallet_lacks_are_answered_without_it(
    bench_of: MakeBench, wallet: str, act: object
) -> None:
    """`close_round`, `check` and the like: from a balance."""
    bench = bench_of("native", wallet)
    yes(bench.call(a_call(act)))  # type: ignore[arg-type]  # an act
    assert bench.till.asked() == 0


@pytest.mark.parametrize("wallet", ["native", "netgaming", "dragon_gaming", "kyren", "scorpio_play", "gameball"])
def test_rule_08_every_wallet_can_be_asked_for_a_balance(bench_of: MakeBench, wallet: str) -> None:
    """In its own words."""
    bench = bench_of("native", wallet)
    assert yes(bench.call(balance())).balance == Decimal("1000.00")


# ---------------------------------------------------------------- what the wallet says once


SAID_AGAIN = [("netgaming", "get-balance"), ("dragon_gaming", "get-balance"), ("dragon_gaming", "debit")]


def country_told(bench: Bench) -> object:
    """In the answer that the provider read last."""
    return json.loads(bench.answers[-1].response.body).get("country")


@pytest.mark.parametrize(("provider", "call"), SAID_AGAIN)
@pytest.mark.parametrize("begins", ["get-session", "launch", "movement"])
def test_rule_22_the_country_that_the_wallet_named_is_told_in_every_answer_that_has_one(
    bench_of: MakeBench, provider: str, call: str, begins: str
) -> None:
    """GetBalance and all of Dragon Gaming's answers have it, native's wallet says it at `authenticate` only: the player was
    told to be from the configured default's country, or from none. So it is remembered with his session, over a restart."""
    settled = a_provider(provider)
    settled = replace(settled, settings=replace(settled.settings, default_country="NO"))
    bench = bench_of(settled, "native")
    if begins != "movement":
        yes(bench.call(hello()))  # type: ignore[arg-type]  # a transaction
        assert country_told(bench) == "SE"
    if begins == "launch":  # the same player, once more: what is not said stays
        bench.launch()
    bench.crash()
    bench.restart()
    yes(bench.call(balance() if call == "get-balance" else bet("t1")))
    assert country_told(bench) == ("NO" if begins == "movement" else "SE")


# ---------------------------------------------------------------- 23


@pytest.mark.parametrize("later", ["rollback", "win"])
def test_rule_23_what_belongs_to_a_movement_goes_where_it_went(bench_of: MakeBench, later: str) -> None:
    """Rollbacks and everything later in a round, whatever the routes say by then."""
    bench = bench_of(
        "netgaming", "netgaming", wallets=(a_wallet("kyren", "second"),), routes=(Route(wallet="main"),),
    )  # fmt: skip
    yes(bench.call(bet("t1")))
    bench.setup = replace(bench.setup, routes=(Route(wallet="second"),))
    yes(bench.call(undo("r1", "t1", "10.00") if later == "rollback" else win("w1")))
    assert bench.tills["second"].asked() == 0
    yes(bench.call(bet("t2", round_id="7")))
    assert bench.tills["second"].asked(Kind.DEBIT) == 1
    assert bench.till.balance() == Decimal("1000.00" if later == "rollback" else "1015.00")


@pytest.mark.parametrize("others", [(Route(wallet="second"),), ()])
def test_rule_23_a_hold_is_asked_about_where_it_was_made(bench_of: MakeBench, others: tuple[Route, ...]) -> None:
    """Gameball's question names no player: the routes led to a wallet that had never seen the hold, or to none."""
    routes = (Route(wallet="main", player=re.compile("^p-")), *others)
    bench = bench_of("gameball", "native", wallets=(a_wallet("native", "second"),), routes=routes)
    yes(bench.call(a_call(Reserve(amount=Decimal("30.00")), "", round_id="")))
    asked = Status(reference=bench.answers[-1].transaction_id, reference_kind=Kind.RESERVE)
    assert yes(bench.call(a_call(asked, "", player="", round_id=""))).state == "active"
    assert bench.tills["second"].asked() == 0


def test_rule_23_what_follows_its_round_has_that_wallets_id(bench_of: MakeBench) -> None:
    """The routes lead to a wallet that takes ids as they are, the round to one with one id space for all."""
    bench = bench_of(
        "netgaming", "netgaming", wallets=(a_wallet("native", "second"),), routes=(Route(wallet="main"),),
    )  # fmt: skip
    yes(bench.call(bet("t1")))
    bench.setup = replace(bench.setup, routes=(Route(wallet="second"),))
    yes(bench.call(win("t1")))
    assert bench.till.last(Kind.CREDIT).id == f"{bench.provider.id}:credit:t1"


def test_rule_23_the_players_name_there_is_the_one_of_then(bench_of: MakeBench) -> None:
    """The template that was in force when the bet was taken."""
    old = Route(wallet="main", players="a-{player}", sessions="s")
    bench = bench_of("netgaming", "netgaming", routes=(old,), opening={"a-p-1": Decimal("100.00")})
    yes(bench.call(bet("t1")))
    bench.setup = replace(bench.setup, routes=(Route(wallet="main", players="b-{player}"), old))
    yes(bench.call(undo("r1", "t1", "10.00")))
    assert bench.till.last(Kind.ROLLBACK).player == "a-p-1"


def test_rule_23_the_first_route_that_fits_wins(bench_of: MakeBench) -> None:
    """By provider, brand, currency, player and game."""
    routes = (
        Route(wallet="main", providers=frozenset({"nobody"})),
        Route(wallet="main", brands=frozenset({"other"})),
        Route(wallet="main", currencies=frozenset({"USD"})),
        Route(wallet="main", player=re.compile("^vip-")),
        Route(wallet="main", game=re.compile("^live_")),
        Route(wallet="second"),
    )
    bench = bench_of("native", "native", wallets=(a_wallet("native", "second"),), routes=routes)
    yes(bench.call(bet("t1")))
    assert bench.tills["second"].asked(Kind.DEBIT) == 1


def test_rule_23_the_operators_word_at_launch_beats_the_routes(bench_of: MakeBench) -> None:
    """`wallet` in the handover."""
    bench = bench_of("native", "native", wallets=(a_wallet("native", "second"),))
    bench.launch(wallet="second")
    yes(bench.call(bet("t1")))
    assert bench.tills["second"].asked(Kind.DEBIT) == 1


@pytest.mark.parametrize("provider", ["scorpio_play", "native"])
def test_rule_22_the_wallet_of_the_launch_holds_for_a_call_that_says_no_session(
    bench_of: MakeBench, provider: str
) -> None:
    """The operator handed over another wallet and its session; the wire had none. The bet went by the routes: the stake was
    taken at the wrong wallet, which was told the session of the right one."""
    bench = bench_of(provider, "netgaming", wallets=(a_wallet("netgaming", "second"),))
    bench.launch("provider-token", wallet="second", wallet_session="second-token")
    yes(bench.call(bet("t1", session="")))
    assert bench.till.sent == []
    assert bench.tills["second"].last(Kind.DEBIT).session == "second-token"
    yes(bench.call(balance(session="")))
    assert bench.till.sent == []


@pytest.mark.parametrize("kind", [Kind.DEBIT, Kind.CREDIT, Kind.BALANCE])
def test_rule_22_a_new_session_in_any_answer_replaces_the_old_one(bench_of: MakeBench, kind: Kind) -> None:
    """Native's card. NetGaming cannot be told of it in a movement: it played on with the token of its launch, and
    that was what the wallet heard, which had replaced it."""
    bench = bench_of("netgaming", "native")
    bench.launch(brand="acme")
    new = Accepted(balance=Decimal("990.00"), currency="EUR", profile=Profile(session="new"))
    bench.till.then(says(new), kind=kind)
    yes(bench.call({Kind.DEBIT: bet("t1"), Kind.CREDIT: win("t1"), Kind.BALANCE: balance()}[kind]))
    bench.call(bet("t2"))
    assert bench.till.last(Kind.DEBIT).session == "new"
    bench.setup = replace(bench.setup, routes=(Route(wallet="main", brands=frozenset({"acme"})),))
    bench.call(bet("t3", session="new", round_id="77"))
    assert (bench.till.last(Kind.DEBIT).id, bench.till.last(Kind.DEBIT).session) == ("t3", "new")


def about(id: str, kind: Kind = Kind.DEBIT) -> Transaction:
    """`GET /transactions/<provider>/<kind>/<id>`: it says nothing else, so no route that asks for more fits it."""
    return Transaction(act=Status(reference=id, reference_kind=kind))


def test_rule_23_a_query_is_answered_whatever_way_its_bare_words_would_have_gone(bench_of: MakeBench) -> None:
    """It names no currency, the routes ask for one: the stake was taken, and the provider heard a decline for it."""
    routes = (Route(wallet="main", currencies=frozenset({"EUR"})),)
    bench = bench_of(a_provider("native", currency=""), "native", routes=routes)
    yes(bench.call(bet("t1")))
    heard = yes(bench.call(about("t1")))
    assert (heard.replayed, heard.balance) == (True, Decimal("990.00"))
    assert why(bench.call(about("t2"))) is Reason.TRANSACTION_NOT_FOUND
    assert bench.answers[-1].response.status == 404


def test_rule_23_a_hold_is_asked_about_where_it_is_held(bench_of: MakeBench) -> None:
    """Another wallet's "not seen so far" says nothing about it."""
    routes = (Route(wallet="main", currencies=frozenset({"EUR"})), Route(wallet="second"))
    bench = bench_of(
        a_provider("native", currency=""), "native", wallets=(a_wallet("native", "second"),), routes=routes
    )
    yes(bench.call(a_call(Reserve(amount=Decimal("10.00")), "h1")))
    assert yes(bench.call(about("h1", Kind.RESERVE))).state == "active"
    assert bench.tills["second"].asked() == 0


def test_rule_06_a_hold_that_came_through_here_is_never_told_as_not_seen(bench_of: MakeBench) -> None:
    """A lagging replica of the wallet says 404; the provider would believe that nothing is held, or ever will be."""
    bench = bench_of("native", "native")
    yes(bench.call(a_call(Reserve(amount=Decimal("10.00")), "h1")))
    bench.till.always(says(Declined(reason=Reason.TRANSACTION_NOT_FOUND)), Kind.STATUS)
    assert yes(bench.call(about("h1", Kind.RESERVE))).state == "active"
    bench.till.always(lost_before, Kind.RESERVE)
    assert isinstance(bench.call(a_call(Reserve(amount=Decimal("10.00")), "h2")), Unknown)
    assert isinstance(bench.call(about("h2", Kind.RESERVE)), Unknown)


def test_rule_04_a_query_that_is_refused_decides_nothing(bench_of: MakeBench) -> None:
    """The key was rotated at the wallet, and the provider heard that its hold was declined."""
    bench = bench_of("native", "gameball")
    yes(bench.call(a_call(Reserve(amount=Decimal("10.00")), "h1")))
    bench.till.always(says(Declined(reason=Reason.BAD_SIGNATURE)), Kind.STATUS)
    assert yes(bench.call(about("h1", Kind.RESERVE))).state == "active"
    assert isinstance(bench.call(about("h2", Kind.RESERVE)), Unknown)


# ---------------------------------------------------------------- no way at all


@pytest.mark.parametrize(
    ("call", "word"),
    [(bet("x"), "declined"), (balance(), "declined"), (win("x"), "unknown"), (undo("x", "t0"), "unknown")],
    ids=["debit", "read", "credit", "rollback"],
)  # fmt: skip
def test_rule_06_without_a_route_a_debit_is_declined_and_a_win_waits_for_a_person(
    bench_of: MakeBench, call: object, word: str
) -> None:
    """`unsupported`; what is owed is for a person, and the provider hears doubt."""
    bench = bench_of("native", "native", routes=NOWHERE)
    heard = bench.call(call)  # type: ignore[arg-type]  # a transaction
    assert bench.answers[-1].outcome == word
    if word == "declined":
        assert why(heard) is Reason.UNSUPPORTED
    else:
        assert isinstance(heard, Unknown)
        assert bench.row(call.kind, "x").state is State.PERSON  # type: ignore[attr-defined]  # a transaction


# ---------------------------------------------------------------- 27


def test_rule_27_the_session_of_a_bet_that_said_none_is_kept_with_it(bench_of: MakeBench) -> None:
    """Scorpio Play's wire has no session: its wallet was told the launch's. Days later the launch had left the journal, the
    bet had not, and its win waited for a person, because nobody knew a session any more."""
    bench = bench_of("scorpio_play", "netgaming", routes=(Route(wallet="main"),))
    bench.launch("provider-token", wallet_session="wallet-token")
    yes(bench.call(bet("t1")))
    bench.rest(60)
    now = bench.scheduler.clock()
    at_once(bench.journal.forget_sessions(("", ""), now, now, 50))
    yes(bench.call(win("w1")))
    assert bench.till.last(Kind.CREDIT).session == "wallet-token"
