"""Pragmatic Play's seamless wallet: a web form per call, an MD5 over its sorted fields, JSON answers with an `error`.

Source: the vendor's API specification v3.85 of 2019 in public copies (only contents and change history could be read), a
public description of the flow of its Asian edition, public integrations. What they leave open is decided in NOTES.md.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Literal

from msgspec import UNSET, Struct
from msgspec.structs import replace

from gateway.auth import InForm, Signed, digest_of, filled_pairs
from gateway.codec import form
from gateway.codec.errors import Row, of_rows
from gateway.codec.fields import Fields, Number, known, write_form
from gateway.codec.form import Draft, Line
from gateway.codec.frame import answer, heard, needed, of_another, reader_of, unsaid
from gateway.codec.ids import told_id
from gateway.codec.units import Major, in_major, plain, token
from gateway.codec.unix import moment
from gateway.codec.wins import one_of, with_promo
from gateway.dialect import Call, Dialect, NoCall, Wire
from gateway.ends import AsProvider, AsWallet, Word
from gateway.http import FORM_HEADERS, Request, Response
from gateway.model import (
    Accepted,
    Adjust,
    Authenticate,
    Balance,
    Batch,
    CloseRound,
    Credit,
    Debit,
    Declined,
    Kind,
    Missing,
    Notice,
    Outcome,
    Profile,
    Reason,
    Rollback,
    Transaction,
    Unknown,
    owes,
    unsupported,
)

UNIT = Major()  # 2.5 is 2.50 EUR, in requests as text, in answers as a number


class Settings(Struct, frozen=True, forbid_unknown_fields=True):
    """`bonus_win`: `notify` = each free spin's win came by `result`, bonusWin only tells their total; `credit` = it pays it."""

    bonus_win: Literal["notify", "credit"] = "notify"


# MD5, over texts that are joined without escapes: it only guards against mistakes.
SIGNED = Signed(
    covers=filled_pairs(between="&", without="hash"),
    digest=digest_of("md5"),
    carried=InForm("hash"),
    demo="pp-test-secret",
    weak=True,
)

# ---------------------------------------------------------------- which call it is


def _wire(name: str, *kinds: Kind) -> Wire:
    return Wire(name=name, method="POST", path=f"/{name}.html", kinds=kinds)


CALLS = (
    _wire("authenticate", Kind.AUTHENTICATE),
    _wire("balance", Kind.BALANCE),
    _wire("bet", Kind.DEBIT),
    _wire("result", Kind.CREDIT, Kind.BATCH),
    _wire("bonusWin", Kind.NOTICE, Kind.CREDIT),
    _wire("jackpotWin", Kind.CREDIT),
    _wire("promoWin", Kind.CREDIT),
    _wire("endRound", Kind.CLOSE_ROUND),
    _wire("refund", Kind.ROLLBACK),
    _wire("adjustment", Kind.ADJUST),
    _wire("GetBalancePerGame", Kind.BALANCE),
)
BY_PATH: Mapping[str, str] = {wire.path.lower(): wire.name for wire in CALLS}
UNKNOWN_CALL = "unknown"  # any other path is answered with error 7
PATH = re.compile(r"(/[^/]+)/?")


def route(request: Request, settings: Any) -> str:
    """`/bet.html`, in any case. An unknown method is answered in the studio's own words."""
    found = PATH.fullmatch(request.path)
    if found is None:
        raise NoCall
    if request.method != "POST":
        raise NoCall(("POST",))
    return BY_PATH.get(found[1].lower(), UNKNOWN_CALL)


# ---------------------------------------------------------------- ids

JACKPOT, PROMO, BONUS, RESULT = WORDS = ("jackpot:", "promo:", "bonus:", "result:")
"""What pays beside a result may carry its reference, which is the key "per call": towards a wallet each has an id of its own.
A result whose own reference begins like one of ours has a word before it, too, so that no two ever meet."""
PAYS: Mapping[str, str] = {"jackpotWin": JACKPOT, "promoWin": PROMO, "bonusWin": BONUS, "result": RESULT}

# ---------------------------------------------------------------- errors

SUCCESS = "0"
RETRY, RETRY_END_ROUND = "100", "130"  # "internal error, retry": doubt, said and heard
DO_NOT_RETRY = "120"

# 120 is heard as `round_closed`, of a refund, too: heard as `already_settled` it would be final, and a stake could stay
# taken because of what the same number also calls an internal error.
ROWS: Mapping[str, Row] = {
    SUCCESS: ("Success",),
    "1": ("Insufficient balance", Reason.INSUFFICIENT_FUNDS),
    "2": ("Player not found", Reason.PLAYER_NOT_FOUND),
    "4": ("Invalid or expired token", Reason.NOT_AUTHENTICATED, Reason.SESSION_EXPIRED),
    "5": ("Invalid hash", Reason.BAD_SIGNATURE),
    "6": ("Player frozen", Reason.PLAYER_BLOCKED),
    "7": ("Bad parameters", Reason.INVALID_REQUEST),
    "8": ("Game not found or disabled", Reason.GAME_NOT_FOUND),
    "50": ("Bet limit reached", Reason.LIMIT_EXCEEDED),
    RETRY: ("Internal error, please retry",),
    DO_NOT_RETRY: (
        "Internal error, do not retry", Reason.ROUND_CLOSED, Reason.ALREADY_ROLLED_BACK, Reason.ALREADY_SETTLED,
        Reason.DUPLICATE_MISMATCH, Reason.CURRENCY_MISMATCH, Reason.UNSUPPORTED,
        Reason.TRANSACTION_NOT_FOUND,  # of a bet or a read; of a win see `error_of`
    ),
    RETRY_END_ROUND: ("Internal error in endRound, please retry",),
}  # fmt: skip
ERRORS = of_rows(
    ROWS,
    doubt=frozenset({RETRY, RETRY_END_ROUND}),
    heard={"3": Reason.LIMIT_EXCEEDED},  # "bet not allowed"; we say 50
)

FINAL = frozenset({Reason.ALREADY_ROLLED_BACK, Reason.ALREADY_SETTLED, Reason.DUPLICATE_MISMATCH})
"""What ends a win or a refund; any other decline of one is told as 100, for its repeats to reach the wallet (rule 6)."""

NOBODY = frozenset({Reason.NOT_AUTHENTICATED, Reason.SESSION_EXPIRED})


def error_of(declined: Declined, tx: Transaction | None, currency: str) -> str:
    """The number that says `declined`. `tx` None: the request could not be read; `currency` as far as it is known."""
    if tx is not None and (isinstance(tx.act, Batch) or owes(tx.act)):
        return DO_NOT_RETRY if declined.reason in FINAL else RETRY
    act = tx.act if tx is not None else None
    if isinstance(act, Debit | Adjust) and declined.reason in NOBODY and not currency:
        # A bet names no token: what nobody knows is the player's currency. That hardly any has such an amount comes first.
        fine = act.amount != round(act.amount, 2)
        return ERRORS.code(Reason.INVALID_REQUEST if fine else Reason.PLAYER_NOT_FOUND)
    return ERRORS.code(declined.reason)


# ---------------------------------------------------------------- the calls, field by field

PASSED_ON = ("providerId", "roundDetails", "jackpotDetails", "campaignId")
NO_CODE = frozenset({"", "0", "false"})  # a bonusCode that is none, as the family spells it


def _amount(tx: Transaction, call: Call) -> str:
    """The wallet takes it in its player's own currency, which only its answer names: another than that of its
    configuration is not said, and where that has none, a yes in another one is doubt."""
    if tx.currency and call.currency not in ("", tx.currency):
        raise unsupported(f"{tx.currency} to a wallet of {call.currency}")
    text: str = MAJOR.write(tx, call)
    return text


def _read_bonus_amount(fields: Fields, draft: Draft, call: Call) -> None:
    if call.settings.bonus_win == "credit":
        MAJOR.read(fields, draft, call)
    else:
        draft.extra |= fields.opaque("amount")


def _bonus_amount(tx: Transaction, call: Call) -> str:
    return tx.extra["amount"] if isinstance(tx.act, Notice) else _amount(tx, call)


def _code(tx: Transaction) -> str:
    return "" if tx.free_round_id in NO_CODE else tx.free_round_id


def _bonus_code(tx: Transaction, call: Call) -> Any:
    """A bet is free because it has a code: without one a free bet cannot be said, and one that is not free never has it."""
    free = isinstance(tx.act, Debit | Credit) and tx.act.free_round
    if free and isinstance(tx.act, Debit) and not _code(tx):
        raise unsaid(tx)
    return (_code(tx) if free else "") or UNSET


def _read_games(fields: Fields, draft: Draft, call: Call) -> None:
    fields.text("gameIdList", length_max=len(fields.raw.get("gameIdList", "")))  # its answer has a row for each


MAJOR = in_major("amount")
PLAYER, ID, AMOUNT = form.PLAYER.id("userId"), form.ID.id("reference"), Line("amount", MAJOR.read, _amount)
TOKEN = Line(
    "token",
    form.SESSION.id("token", length_max=1024).read,
    lambda tx, call: needed("session", tx.session or form.LAUNCH.of(tx)),
)
# What we say to a wallet: another provider's own number means nothing there.
PROVIDER = Line("providerId", form.keeps(*PASSED_ON), lambda tx, call: "PragmaticPlay")
GAME, GAME_IF_ANY = form.GAME.id("gameId"), form.GAME.id_if_any("gameId")
ROUND, ROUND_KEPT = form.ROUND.id("roundId"), form.passed_on("roundId").read
TIME = moment("timestamp", as_text=True)  # hours ago in a repeat
# Of a bet it decides whether a stake is taken: of a free round none is, whatever the amount says.
CODE, CODE_IF_ANY = form.FREE_ROUND.optional("bonusCode").read, form.FREE_ROUND.id_if_any("bonusCode").read
DETAILS = form.kept("roundDetails", "spin")  # mandatory, and for people only
HEAD = (PLAYER, PROVIDER)
PLAY = (PLAYER, GAME, ROUND, PROVIDER)  # a round is one only together with its game
WON = (PLAYER, Line("gameId", GAME_IF_ANY.read, GAME.write), ROUND, PROVIDER, TIME, AMOUNT, ID)
# No request names a currency or a session, and of what may stand anywhere nothing must be right.
FORMS = form.of_page(
    {
        "balance": HEAD,
        "bet": (*PLAY, TIME, AMOUNT, ID, DETAILS, Line("bonusCode", CODE, _bonus_code)),
        "result": (*WON, DETAILS, Line("bonusCode", CODE_IF_ANY, _bonus_code)),
        "bonusWin": (
            *HEAD, Line("amount", _read_bonus_amount, _bonus_amount), ID,
            Line("bonusCode", CODE_IF_ANY, lambda tx, call: _code(tx)), TIME, form.kept("roundDetails"),
        ),
        "jackpotWin": (*WON, form.kept("roundDetails"), form.kept("jackpotDetails")),
        # A round that comes with it is none of its own: no bet won this. What campaign gave it need not be known, so the field
        # has a filler.
        "promoWin": (
            *HEAD, Line("campaignId", write=lambda tx, call: tx.extra.get("campaignId") or tx.free_round_id or tx.id),
            AMOUNT, ID, TIME, Line("roundId", ROUND_KEPT),
        ),
        "endRound": PLAY,
        # It carries the bet's reference and no id. Whatever else it says is no part of what it means: two refunds of one bet
        # are one, also where only one of them names the round.
        "refund": (
            *HEAD, form.REFERENCE.id("reference"), GAME_IF_ANY,
            Line("roundId", ROUND_KEPT, form.ROUND.optional("roundId").write), form.passed_on("amount").read_only,
        ),
        "adjustment": (*PLAY, TIME, AMOUNT, ID),
        "GetBalancePerGame": (Line("gameIdList", _read_games), *HEAD),
    },
    anywhere=(GAME_IF_ANY, Line("bonusCode", CODE_IF_ANY), TIME),
    alone={"authenticate": (TOKEN, PROVIDER)},
    also=("hash", "promoWinAmount", "promoWinReference", *PASSED_ON),
)  # fmt: skip

# ---------------------------------------------------------------- provider's end


def decode_request(request: Request, call: Call) -> Transaction:
    of, fields = reader_of(FORMS, call), Fields.of_form(request)
    said = of.read(fields, call)
    said.extra = known(**said.extra)
    said[form.FREE_ROUND] = "" if said[form.FREE_ROUND] in NO_CODE else said[form.FREE_ROUND]
    free = bool(said[form.FREE_ROUND])
    match call.name:
        case "authenticate":
            return said.transaction(Authenticate())
        case "bet":
            return said.transaction(Debit(amount=said.amount, free_round=free))
        case "result":  # whether the round is over with it is said by endRound, or not at all
            named = said[form.ID]
            said[form.ID] = RESULT + named if named.startswith(WORDS) else named
            win = said.transaction(Credit(amount=said.amount, free_round=free))
            return with_promo(win, fields, call, {}, unnamed="", named=named, word=PROMO)
        case "jackpotWin":
            said[form.ID] = JACKPOT + said[form.ID]
            return said.transaction(Credit(amount=said.amount, type="jackpot", free_round=free))
        case "promoWin":
            said[form.ID] = PROMO + said[form.ID]
            return said.transaction(Credit(amount=said.amount, type="promo"))
        case "bonusWin" if call.settings.bonus_win == "notify":
            return said.transaction(Notice())
        case "bonusWin":
            said[form.ID] = BONUS + said[form.ID]
            return said.transaction(Credit(amount=said.amount, type="free_round", free_round=True))
        case "endRound":
            return said.transaction(CloseRound())
        case "refund":
            return said.cancel()
        case "adjustment":
            return said.transaction(Adjust(amount=said.amount))
        case _:
            return said.transaction(Balance())


READS = frozenset({"authenticate", "balance", "GetBalancePerGame"})
WITHOUT_ID = READS | {"endRound"}
NOTHING_TO_UNDO = frozenset({Reason.TRANSACTION_NOT_FOUND, Reason.ALREADY_ROLLED_BACK})


def encode_response(outcome: Outcome, tx: Transaction | None, call: Call) -> Response:
    if isinstance(outcome, Accepted) and outcome.items:
        outcome = one_of(outcome)
    if isinstance(outcome, Declined) and call.name == "refund" and outcome.reason in NOTHING_TO_UNDO:
        # An unknown bet: success, and the id is blank. One that is undone: success, with the id of what did it.
        done = outcome.reason is Reason.ALREADY_ROLLED_BACK
        outcome = Accepted(wallet_id=outcome.wallet_id if done else "")
    currency = (tx.currency if tx is not None else "") or call.currency
    match outcome:
        case Accepted():
            return _yes(outcome, tx, outcome.currency or currency, call)
        case Declined():
            return _answer(error_of(outcome, tx, currency), {})
        case _:
            return _answer(RETRY_END_ROUND if call.name == "endRound" else RETRY, {})


def _answer(code: str, fields: Mapping[str, Any]) -> Response:
    return answer({**fields, "error": Number(code), "description": ROWS[code][0]})


def _yes(outcome: Accepted, tx: Transaction | None, currency: str, call: Call) -> Response:
    # A notice is no movement, so its wallet need not give it an id; the studio wants one.
    own = tx.id if tx is not None and tx.kind is Kind.NOTICE else ""
    said: dict[str, Any] = {} if call.name in WITHOUT_ID else {"transactionId": outcome.wallet_id or own}
    if call.name == "refund":
        return _answer(SUCCESS, said)
    cash = needed("balance", outcome.balance)
    if not currency and call.name in READS:
        return _answer(ERRORS.code(Reason.PLAYER_NOT_FOUND), {})
    purse = _purse(outcome, cash, currency, call)
    if call.name == "GetBalancePerGame":
        return _answer(SUCCESS, {"gamesBalances": [{"gameId": game, **purse} for game in _games(call)]})
    if call.name == "authenticate":
        said = {"userId": _player(outcome, tx)}
    said |= {"currency": currency, **purse}
    # No wallet of ours can say how much of a stake was bonus money.
    return _answer(SUCCESS, said | {"usedPromo": 0} if call.name == "bet" else said)


def _purse(outcome: Accepted, cash: Decimal, currency: str, call: Call) -> dict[str, Number]:
    """Two purses: bonus money is no part of `cash`. 97.5, 20, 0: without superfluous zeros and without exponent."""
    if not currency:
        raise Missing("currency")
    bonus = Decimal(0) if outcome.bonus is None else outcome.bonus

    def shown(amount: Decimal) -> Number:
        return token(plain(UNIT.show(amount, currency, call.currencies) if call.currencies.knows(currency) else amount))

    return {"cash": shown(cash), "bonus": shown(bonus)}


def _player(outcome: Accepted, tx: Transaction | None) -> str:
    said = outcome.profile.player if outcome.profile else ""
    return needed("player", said or (tx.player if tx is not None else ""))


def _games(call: Call) -> list[str]:
    """What is asked for, in its order; from the request itself, for what is passed on is cut."""
    listed = Fields.of_form(call.request).value("gameIdList", "") if call.request is not None else ""
    return [game for game in map(str.strip, str(listed).split(",")) if game]


# ---------------------------------------------------------------- wallet's end


def encode_request(tx: Transaction, call: Call) -> Request:
    match tx.act:
        case Authenticate():
            name = "authenticate"
        case Balance():
            name = "balance"
        case Debit(tracking_only=True) | Credit(tracking_only=True):
            raise unsaid(tx)
        case Debit():
            name = "bet"
        case Credit():
            name = _win(tx, tx.act, call)
        case Notice():
            # Only what came as a bonusWin, and only where the wallet takes that for a notice.
            if call.settings.bonus_win != "notify" or not (tx.extra.get("amount") and tx.id and _code(tx)):
                raise unsupported("a notice")
            name = "bonusWin"
        case Rollback(reference_kind=Kind.DEBIT, amount=None):
            name = "refund"
        case Rollback(reference_kind=Kind.DEBIT):
            raise unsupported("the amount of a rollback")  # it is always all of the bet
        case Adjust():
            name = "adjustment"
        case CloseRound():
            name = "endRound"
        case _:
            raise unsaid(tx)
    if isinstance(tx.act, Credit):
        tx = replace(tx, id=told_id(tx.id, PAYS[name]))
    body = write_form(FORMS[name].write(tx, call))
    return Request(method="POST", path=f"/{name}.html", headers=FORM_HEADERS, body=body)


def _win(tx: Transaction, act: Credit, call: Call) -> str:
    """The call that pays it. promoWin is the only one that belongs to no round."""
    if act.type == "jackpot" and tx.round_id:
        return "jackpotWin"
    pays = call.settings.bonus_win == "credit"  # else the wallet only takes note of a bonusWin
    if act.type in ("free_round", "bonus") and pays and _code(tx):
        return "bonusWin"
    return "result" if act.type != "promo" and tx.round_id else "promoWin"


def decode_response(response: Response, tx: Transaction, call: Call) -> Outcome:
    return heard(response, _heard, tx, call)


def _heard(fields: Fields, tx: Transaction, call: Call) -> Outcome:
    code = fields.value("error", None)  # a number; some wallets write a text
    if code == SUCCESS:
        return _heard_yes(fields, tx, call)
    reason = ERRORS.reason(code) if isinstance(code, str) else None
    if reason is None:
        return Unknown(detail=f"error {code}"[:64])
    return Declined(reason=reason, message=fields.opaque("description").get("description", "")[:200])


def _heard_yes(fields: Fields, tx: Transaction, call: Call) -> Outcome:
    wallet_id = fields.id("transactionId", "", length_max=256)
    if isinstance(tx.act, Rollback):
        # Success with a blank `transactionId` is how a wallet says that it knows no such bet; without any it says nothing.
        if "transactionId" not in fields:
            return Unknown(detail="a refund was answered without transactionId")
        return Accepted(wallet_id=wallet_id) if wallet_id else Declined(reason=Reason.TRANSACTION_NOT_FOUND)
    asks = isinstance(tx.act, Authenticate)
    said = fields.text("currency", "")
    currency = call.currencies.meant(said) if said else tx.currency or call.currency
    player = fields.id("userId") if asks else ""
    if doubt := of_another(tx, player=player, currency="" if asks else currency):
        return doubt
    cash = UNIT.heard(fields, "cash", currency, call.currencies)
    if cash is None and isinstance(tx.act, Balance):
        return Unknown(detail="a balance call was answered without cash")
    return Accepted(
        balance=cash,
        bonus=UNIT.heard(fields, "bonus", currency, call.currencies) or None,  # 0 is said for "not known", too
        currency=currency if said or cash is not None else "",
        wallet_id=wallet_id,
        profile=Profile(player=player) if asks else None,
    )


DIALECT = Dialect(
    name="pragmatic_play",
    title="Pragmatic Play: web form, MD5 over sorted fields, error 0 = success",
    calls=CALLS,
    auth=SIGNED,
    settings=Settings,
    route=route,
    decode_request=decode_request,
    encode_response=encode_response,
    encode_request=encode_request,
    decode_response=decode_response,
    round_refunds=False,  # a refund means the bet that it names, and no other one
    hides=frozenset({"hash", "token"}),
    as_provider=AsProvider(
        values_max=300,  # the proof reads the form
        answer_within={"default": "3s"},
        replay_balance="current",
    ),
    as_wallet=AsWallet(
        tells=frozenset({Word.FREE_DEBIT}),
        separates=False,  # a reference is unique over all calls
        yes_to_unknown=True,  # "success"; that its transactionId is empty then only the field says
    ),
)
