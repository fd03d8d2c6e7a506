"""Why two signatures differ: each proof that an entry asks for is tried, and what is found is said in words."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from itertools import chain

from msgspec import Struct

from gateway.auth.guards import API_KEY_PROOF, HMAC_PROOF
from gateway.auth.keys import Key
from gateway.auth.rsa import RsaProof
from gateway.cli.hide import who_is
from gateway.cli.trial import Entry, Held, Trial
from gateway.cli.trial_others import PlainTrial, RsaTrial
from gateway.engine.setup import Provider
from gateway.http import Request
from gateway.serve.config import Loaded

UNSIGNED = "nothing is signed here, and no key is sent: there is nothing to compare it with"


class Verdict(Struct, frozen=True):
    """Whether a signature is right, and what is to be said about it."""

    same: bool
    lines: tuple[str, ...]


def held_by(entry: Entry) -> list[Held]:
    """Everything that proves who speaks, with its keys."""
    found = [Held(proof=proof, keys=entry.keys, whose="key") for proof in entry.dialect.auth.proofs(entry.settings)]
    if isinstance(entry, Provider):
        guards = [(HMAC_PROOF, entry.guard.hmac, "guard key"), (API_KEY_PROOF, entry.guard.api_key, "guard key")]
    else:
        sent = [(HMAC_PROOF, entry.send.hmac), (API_KEY_PROOF, entry.send.api_key)]
        guards = [(proof, (Key(id="send", parts={"secret": text}),), "") for proof, text in sent if text]
    return [*found, *(Held(proof=proof, keys=keys, whose=whose) for proof, keys, whose in guards if keys)]


def compare(
    entry: Entry, request: Request, signed: Request, given: str, others: Sequence[tuple[str, Key]],
    *, now: datetime, quiet: Callable[[str], str] = str,
) -> Verdict:  # fmt: skip
    """`request` is what was pasted; its own time stamps count. `signed` is ours, where it holds none. `others`: keys that may
    have been mixed up with ours, and what they are called. `quiet` hides what nobody may see of a signed text."""
    trials = [
        kind(entry, held, request, signed, given, others, now, quiet)
        for held in held_by(entry)
        for kind in (
            PlainTrial if held.proof.covers is None else RsaTrial if isinstance(held.proof, RsaProof) else Trial,
        )
    ]
    if not trials:
        unsigned = not entry.dialect.auth.parts(entry.settings)
        return Verdict(False, (UNSIGNED if unsigned else "the dialect's scheme declares no steps (Auth.proofs)",))
    for trial in trials:
        if label := trial.right():
            return Verdict(True, (f"the same: {label}",))
    found = next((lines for trial in trials if (lines := trial.explained())), None)
    return Verdict(False, tuple(found or dict.fromkeys(chain.from_iterable(trial.given_up() for trial in trials))))


def others_of(entry: Entry, config: Loaded) -> Iterator[tuple[str, Key]]:
    """Every other key of the configuration, and what it is called. Of our own keys, too: each has parts for something else."""
    everyone: list[Entry] = [*config.setup.providers.values(), *config.setup.wallets.values()]
    for other in everyone:
        held = held_by(other) or [Held(proof=API_KEY_PROOF, keys=other.keys, whose="key")]
        for whose, key in dict.fromkeys((each.whose, key.id) for each in held for key in each.keys):
            found = next(k for each in held for k in each.keys if (each.whose, k.id) == (whose, key))
            yield " ".join(filter(None, (whose, key, f"of the {who_is(other)}"))), found
