"""Several wins in one call of a provider, where its answer is one."""

from __future__ import annotations

from gateway.model import Accepted, Declined, Outcome, Unknown


def one_of(batch: Accepted) -> Outcome:
    """The one answer to a call that held several wins: yes only if all were taken.

    Where one was not, the provider shall send the call again: the others are known by then.
    """
    taken = [item for item in batch.items if isinstance(item, Accepted)]
    if len(taken) == len(batch.items):
        last = next((item for item in (batch, *reversed(taken)) if item.balance is not None), batch)
        return Accepted(wallet_id=taken[0].wallet_id, balance=last.balance, bonus=last.bonus, currency=last.currency)
    if all(isinstance(item, Declined) for item in batch.items):
        return batch.items[0]
    return Unknown(detail="not every win of this call was taken")
