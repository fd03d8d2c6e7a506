"""BetGames' answers: written at the provider's end, read at the wallet's."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from adapters.betgames.wire import (
    BALANCE,
    DETAILS,
    ERRORS,
    EXPIRED,
    METHODS,
    NEW_TOKEN,
    PAYOUTS,
    PING,
    REFRESH,
    ROOT,
    SUCCESS,
    UNIT,
    code_of,
    params_of,
    read_balance,
    root_of,
    text_of,
    token_of,
)
from gateway.codec.fields import Fields
from gateway.codec.frame import heard, needed, of_another
from gateway.dialect import Call
from gateway.http import XML_HEADERS, Response
from gateway.model import (
    Accepted,
    Authenticate,
    Check,
    Declined,
    Missing,
    Outcome,
    Profile,
    Reason,
    Transaction,
    Unknown,
)
from gateway.model import Balance as BalanceAct
from gateway.xml import sayable, written

# ---------------------------------------------------------------- provider's end

DOUBT = Response(status=500)
"""Without a decision, so that it comes again: a code would end it."""


def encode_response(outcome: Outcome, tx: Transaction | None, call: Call) -> Response:
    match outcome:
        case Accepted() if tx is not None:
            return _answer(call, SUCCESS, "", _params(outcome, tx, call))
        case Declined(reason=Reason.DUPLICATE_MISMATCH) if call.name in PAYOUTS and tx is not None:
            # Another payout of this bet was here. It moved the money, this one does not.
            return _answer(call, SUCCESS, "", _moved(outcome, call, already=True))
        case Declined():
            code = code_of(outcome, call.name)
            return DOUBT if code is None else _answer(call, code, text_of(outcome, code), {})
        case _:
            return DOUBT


def _answer(call: Call, code: int, text: str, params: Mapping[str, Any]) -> Response:
    method, token = _echo(call)
    said: dict[str, Any] = {
        "method": method,
        "token": token,
        "success": int(code == SUCCESS),
        "error_code": code,
        "error_text": text,
        "time": int(call.now.timestamp()),
    }
    if call.settings.signature == "request_id":
        said["response_id"] = call.nonce or "-"
    return Response(headers=XML_HEADERS, body=written({ROOT: said | {"params": params}}, declared=False))


def _echo(call: Call) -> tuple[str, str]:
    """Method and token as they came; of what cannot be read the method alone, if it is known."""
    found = call.request.xml if call.request is not None else None
    said = found[1] if isinstance(found, tuple) else {"method": call.name if call.name in METHODS else ""}
    texts = [said.get(name) for name in ("method", "token")]
    method, token = (sayable(text)[:1024] if isinstance(text, str) else "" for text in texts)
    return method, token


def _params(outcome: Accepted, tx: Transaction, call: Call) -> dict[str, Any]:
    if call.name in (PING, REFRESH):
        return {}
    if call.name == NEW_TOKEN:  # the same one, unless the wallet gave another
        fresh = outcome.profile.session if outcome.profile else ""
        return {"new_token": sayable(fresh or tx.session)}
    if call.name == DETAILS:
        return _details(outcome, tx, call)
    return (
        {"balance": _cents(outcome, call)} if call.name == BALANCE else _moved(outcome, call, already=outcome.replayed)
    )


def _details(outcome: Accepted, tx: Transaction, call: Call) -> dict[str, Any]:
    """No balance: the game asks for that next."""
    player = (outcome.profile.player if outcome.profile else "") or tx.player
    currency = outcome.currency or tx.currency or call.currency
    for what, value in (("player", player), ("currency", currency)):
        if not value:
            raise Missing(what)
    shown = sayable(player)
    return {"user_id": shown, "username": shown, "currency": sayable(currency).lower(), "info": "-"}


def _moved(outcome: Accepted | Declined, call: Call, *, already: bool) -> dict[str, Any]:
    return {"balance_after": _cents(outcome, call), "already_processed": int(already)}


def _cents(outcome: Accepted | Declined, call: Call) -> int:
    """All purses in one figure, rounded down."""
    return UNIT.show(
        needed("balance", outcome.balance) + (outcome.bonus or Decimal(0)), outcome.currency, call.currencies
    )


# ---------------------------------------------------------------- wallet's end


def decode_response(response: Response, tx: Transaction, call: Call) -> Outcome:
    """Whether its proof holds is looked at by the house."""
    return heard(response, _heard, tx, call, of=root_of)


def _another(root: Fields, call: Call) -> str:
    """Whether it answers another call, or another session's."""
    asked = root_of(call.request) if call.request is not None else Fields({})
    if "method" in asked and root.raw.get("method") != asked.raw["method"]:
        return "the answer to another method"
    return "the answer to another token" if token_of(root) not in ("", token_of(asked)) else ""


def _heard(root: Fields, tx: Transaction, call: Call) -> Outcome:
    if another := _another(root, call):
        return Unknown(detail=another)
    success, code = root.raw.get("success"), root.words("error_code", length_max=16)
    if success == "1":
        yes = code in ("", "0")
        return _heard_yes(root, tx, call) if yes else Unknown(detail=f"success, with error_code {code}")
    if success != "0" or not (code.isascii() and code.isdigit()):
        return Unknown(detail=f"neither success nor a code: {code}")
    reason = ERRORS.reason(int(code))
    if reason is None or (int(code) == EXPIRED and call.again):  # of what we asked before that says nothing
        return Unknown(detail=f"error_code {code}")
    return Declined(reason=reason, message=root.words("error_text", length_max=200))


def _heard_yes(root: Fields, tx: Transaction, call: Call) -> Outcome:
    """Raises `Refused` where it does not say who plays, or in what."""
    params = params_of(root)
    match tx.act:
        case Authenticate() as act:
            return _who(params, tx, tx.session or act.launch_token, call)
        case Check():
            return Accepted()
        case BalanceAct():
            found = _with_balance(params, "balance", tx, call)
            return found if found.balance is not None else Unknown(detail="accepted without a balance")
    already = params.raw.get("already_processed") or "0"
    if already not in ("0", "1"):
        return Unknown(detail="accepted, but nobody knows whether it moved anything")
    if already == "1" and not call.again:
        # To a first asking it says that something else was here, and that this moved nothing.
        return Unknown(detail="already processed, to a first asking")
    return _with_balance(params, "balance_after", tx, call, replayed=already == "1")


def _who(params: Fields, tx: Transaction, token: str, call: Call) -> Outcome:
    player, said = params.id("user_id"), params.words("currency", length_max=16)
    if doubt := of_another(tx, player=player):
        return doubt
    profile = Profile(player=player, session=token, username=params.words("username"))
    return Accepted(profile=profile, currency=call.currencies.meant(said) if said else "")


def _with_balance(params: Fields, name: str, tx: Transaction, call: Call, *, replayed: bool = False) -> Accepted:
    balance, currency = read_balance(params, name), tx.currency or call.currency
    return Accepted(balance=balance, currency=currency if balance is not None else "", replayed=replayed)
