"""Bugs that somebody could write into the engine, each planted by a patch: a test from outside must notice it.

Each makes the real engine forget one thing: a rule of `RULES`, a condition of one, or something beside the
rules. What the patch replaces is put back. `docs.generate` writes the table of them into CONTRIBUTING.md.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from gateway.engine import case as cases
from gateway.engine import (
    drive,
    errand,
    exchange,
    gather,
    judge,
    movement,
    opening,
    pipeline,
    rules,
    ties,
    undoing,
    words,
)
from gateway.engine.case import Air, Case
from gateway.engine.moment import Moment
from gateway.engine.rules import Rule
from gateway.engine.states import State
from gateway.model import Accepted, Declined, Kind, Reason, Unknown, repeats_as

Patch = Callable[[Any], Any]
"""The real thing -> the one with the bug."""


class Planted(Struct, frozen=True, kw_only=True):
    """`how`: what is forgotten, in a sentence. `rule`: whose, blank for what is beside the rules."""

    how: str
    patches: tuple[tuple[Any, str, Patch], ...]
    rule: str = ""


# ---------------------------------------------------------------- rules


def removed(rule: Rule) -> Rule:
    return lambda case: None


def seeing(change: Callable[[Case], Case]) -> Callable[[Rule], Rule]:
    """The rule looks at another case than there is."""
    return lambda rule: lambda case: rule(change(case))


def told_otherwise(rule: str, patch: Callable[[Rule], Rule]) -> tuple[tuple[Any, str, Patch], ...]:
    """A rule is one of the list, and some are asked by name, too, of what was decided before."""

    def listed(real: tuple[Rule, ...]) -> tuple[Rule, ...]:
        return tuple(patch(each) if each.__name__ == rule else each for each in real)

    by_name = (opening,) if rule in vars(opening) else ()
    return ((rules, "RULES", listed), *((where, rule, patch) for where in by_name))


def without(rule: str) -> tuple[str, Planted]:
    return f"without_{rule}", Planted(how="is not there", rule=rule, patches=told_otherwise(rule, removed))


def weakened(name: str, rule: str, how: str, change: Callable[[Case], Case]) -> tuple[str, Planted]:
    return name, Planted(how=how, rule=rule, patches=told_otherwise(rule, seeing(change)))


def around(**changes: Any) -> Callable[[Case], Case]:
    return lambda case: replace(case, around=replace(case.around, **changes))


def nothing_open(case: Case) -> Case:
    return replace(case, air={key: Air(air.requests, air.young, 0) for key, air in case.air.items()})


def never(real: Any) -> Any:
    return lambda *given, **more: False


def always(real: Any) -> Any:
    return lambda *given, **more: True


def nothing(real: Any) -> Any:
    return lambda *given, **more: ()


def instead(value: Any) -> Patch:
    return lambda real: value


def lands_now(case: Case) -> Case:
    assert case.way is not None
    way = replace(case.way, wallet=replace(case.way.wallet, in_flight_max=timedelta(0)))
    return replace(case, way=way)


def not_undone(case: Case) -> Case:
    return replace(case, own=replace(case.own, undone_by=""))


RULES_FORGOTTEN: Mapping[str, Planted] = dict(
    [
        *[without(rule.__name__) for rule in rules.RULES[:-1]],  # the last one speaks where no other does
        weakened("clock_beside_an_open_call", "silence_over", "runs out while a call is open", nothing_open),
        weakened("clock_beside_a_win", "silence_over", "is not stopped by a win", around(won=False)),
        weakened("asked_although_cancelled", "never_applied", "does not look for a rollback", not_undone),
        weakened("lands_when_it_is_forgotten", "second_asking", "does not care when it lands", lands_now),
        weakened("cancel_beside_a_win", "forbidden", "does not look for a win of its bet", around(target_won=False)),
        weakened("anybodys_cancel", "forbidden", "does not look whose the bet is", around(stranger=False)),
        weakened("refund_beside_a_win", "forbidden", "does not look for a win of the round", around(round_won=None)),
        weakened("one_word_is_a_yes", "answered", "does not look for the bet's other end", around(ends=())),
        weakened("cancel_beside_its_win", "forbidden", "does not look for a win that ends its bet", around(ends=())),
        weakened("win_of_what_was_given_back", "its_bet_first", "does not look for a cancel there", around(ends=())),
        weakened("win_waits_for_its_cancel", "its_bet_first", "does not look for a cancel", around(cancels=())),
    ]
)


# ---------------------------------------------------------------- beside the rules


async def _nothing_is_done(*given: Any, **more: Any) -> None:
    return None


def doubt_is_a_no(real: Any) -> Any:
    async def leave(self: Any, errand: Any, case: Case, move: Any) -> Any:
        told = await real(self, errand, case, move)
        if isinstance(told, Unknown) and case.own.kind is Kind.DEBIT:
            return Declined(reason=Reason.PLAYER_BLOCKED, message="it did not work")
        return told

    return leave


def as_configured(real: Any) -> Any:
    return lambda movement, wallet: wallet.repeats[repeats_as(movement.tx.act)]


def read_as_safe(word: str) -> Patch:
    """How a wallet takes a second asking is taken for `safe`."""
    return lambda real: lambda *given: "safe" if real(*given) == word else real(*given)


def second_no_is_a_no(real: Any) -> Any:
    return lambda movement, *given, **more: real(replace(movement, attempts=1), *given, **more)


def win_declined_for_good(real: Any) -> Any:
    def judged(movement: Any, *given: Any, **more: Any) -> Any:
        fact = movement.fact
        refused = fact is not None and isinstance(fact.outcome, Declined)
        return fact.outcome if refused and movement.kind is Kind.CREDIT else real(movement, *given, **more)

    return judged


def own_id_each_time(real: Any) -> Any:
    made = iter(range(1_000_000))
    return lambda space, id: f"gw:{next(made)}:{id}"


def one_id_for_all(real: Any) -> Any:
    def told(dialect: Any, wallet: Any, as_is: bool, provider: str, space: str, tx: Any, **_: Any) -> str:
        return tx.id if as_is or not tx.id else f"{space}:{tx.id}"

    return told


def answer_before_it_is_durable(real: Any) -> Any:
    async def decide(self: Any, errand: Any, case: Case, outcome: Any) -> Any:
        async def later() -> None:
            await self.world.sleep(0.5)
            await real(self, errand, case, outcome)

        self.world.spawn(later())
        state = State.ACCEPTED if isinstance(outcome, Accepted) else State.DECLINED
        return replace(case, own=replace(case.own, state=state, outcome=outcome))

    return decide


def forgotten_is_never_applied(real: Any) -> Any:
    def final(movement: Any, wallet: Any, target: Any, fact: Any, moment: Any) -> Any:
        return real(movement, wallet, target if target is None or target.decided else None, fact, moment)

    return final


def doubt_is_heard_as_a_yes(real: Any) -> Any:
    return lambda m, at: replace(m, told="accepted", told_at=at)


def hearing_revives(real: Any) -> Any:
    return lambda m, call, at: real(replace(m, heard=m.heard.replace(f"-{call}", "").strip()), call, at)


def already_settled_is_believed(real: Any) -> Any:
    def judged(movement: Any, wallet: Any, outcome: Any, *given: Any, **more: Any) -> Any:
        if outcome.reason is Reason.ALREADY_SETTLED:
            return outcome
        return real(movement, wallet, outcome, *given, **more)

    return judged


def moved_by_the_last(real: Any) -> Any:
    def made(found: Any) -> Any:
        outcome = real(found)
        done = [part.outcome for part in found if isinstance(part.outcome, Accepted)]
        return replace(outcome, moved=done[-1].moved) if isinstance(outcome, Accepted) and done else outcome

    return made


def first_of_several(real: Any) -> Any:
    return lambda provider, own, found: real(provider, own, {**found, "lone": list(found.get("lone", ()))[:1]})


def first_id(real: Any) -> Any:
    """Whoever else is told as it."""

    def told(way: Any, own: Any, turns: Any) -> Any:
        yield from ()
        return turns(0)

    return told


def foreign_balance_kept(real: Any) -> Any:
    return lambda outcome, currency: outcome if isinstance(outcome, Declined) else real(outcome, currency)


def game_of_the_last_call(real: Any) -> Any:
    return lambda self: real(replace(self, target=None))


def no_steps(real: Any) -> Any:
    """The clock never steps."""
    return lambda self, *given: real(replace(self, steps=()), *given)


def still_claimed(real: Any) -> Any:
    """A rollback that was itself undone keeps what it took for itself."""
    return property(lambda self: real.fget(replace(self, around=replace(self.around, unclaimed=False))))


def taken_by_whoever_comes(real: Any) -> Any:
    return lambda own, hands: True


BESIDE: Mapping[str, Planted] = {
    "doubt_is_a_no": Planted(how="what nobody knows is told as a refusal", patches=((drive.Driver, "_leave", doubt_is_a_no),)),
    "never_is_asked_again": Planted(how="`never` is read as `safe`", patches=((cases, "again", read_as_safe("never")), (judge, "again", read_as_safe("never")))),
    "query_is_asked_again": Planted(how="`query` is read as `safe`", patches=((cases, "again", read_as_safe("query")), (judge, "again", read_as_safe("query")))),
    "applied_is_safe": Planted(how="`applied` is read as `safe`", patches=((cases, "again", read_as_safe("applied")), (judge, "again", read_as_safe("applied")))),
    "hold_asked_as_a_debit": Planted(how="a hold that its wallet names itself is asked again as a debit is", patches=((cases, "again", as_configured),)),
    "hold_by_our_name": Planted(how="such a hold is asked about, and ended, under a name of ours", patches=((words, "nameless", never), (cases, "nameless", never))),
    "second_no_is_a_no": Planted(how="a no to the second asking is a no to the first", patches=((rules, "judge", second_no_is_a_no),)),
    "win_declined_for_good": Planted(how="a wallet's no to a win is final", patches=((rules, "judge", win_declined_for_good),)),
    "not_found_is_final": Planted(how="`transaction_not_found` to a rollback is believed at once", patches=((judge, "_never_applied", always),)),
    "forgotten_is_never_applied": Planted(how="a wallet that has forgotten a bet is believed that there was none", patches=((judge, "_never_applied", forgotten_is_never_applied),)),
    "nothing_in_flight": Planted(how="nothing is thought to be queued on its way to a wallet", patches=((judge, "landed", always), (cases, "landed", always), (ties, "landed", always))),
    "already_settled_is_believed": Planted(how="`already_settled` to a later rollback is believed of any wallet", patches=((judge, "_judge_rollback", already_settled_is_believed),)),
    "late_answer_dropped": Planted(how="what a wallet says after its provider has gone is thrown away", patches=((drive.Driver, "_late", instead(_nothing_is_done)),)),
    "doubt_forgotten": Planted(how="an answer that nobody read counts as heard", patches=((drive.Driver, "unheard", instead(_nothing_is_done)),)),
    "repeat_not_counted": Planted(how="that a repeat hears a decision is not journalled", patches=((opening, "unheard_by", never), (drive, "unheard_by", never))),
    "doubt_is_heard_as_a_yes": Planted(how="a call that was told doubt counts as one that heard a yes", patches=((movement, "doubted", doubt_is_heard_as_a_yes),)),
    "hearing_revives": Planted(how="a hearing said late revives what was taken away", patches=((movement, "told", hearing_revives), (opening, "told", hearing_revives))),
    "own_rollback_again": Planted(how="our own rollback has a new id each time, and takes nothing for itself", patches=((drive, "own_rollback_id", own_id_each_time), (opening, "claims", never), (drive, "claims", never))),
    "no_claim": Planted(how="a rollback does not take its target for itself", patches=((opening, "claims", never), (drive, "claims", never))),
    "kept_although_told": Planted(how="a win keeps a bet that was told as rolled back", patches=((undoing, "told_undone", never),)),
    "win_before_its_cancel": Planted(how="a win goes before the cancel that it cannot stop", patches=((rules, "_goes_before", never),)),
    "undone_and_not_written": Planted(how="that the repeat of an accepted bet hears of its cancel is not journalled", patches=((opening, "hears_undone", never), (drive, "hears_undone", never))),
    "settler_asks_debits": Planted(how="a debit is asked again although nobody waits for it", patches=((Case, "wanted", instead(property(lambda self: True))),)),
    "one_id_for_all": Planted(how="two providers' ids meet in one wallet", patches=((words, "alias", one_id_for_all),)),
    "told_as_anothers": Planted(how="where ids are few, a movement is told as one that another is told as", patches=((gather, "unmet", first_id), (opening, "unmet", first_id),)),
    "answer_before_it_is_durable": Planted(how="the provider is answered, and the decision is written a moment later", patches=((drive.Driver, "_decide", answer_before_it_is_durable),)),
    "taken_by_whoever_comes": Planted(how="a repeat takes a movement from the process that carries it", patches=((opening, "_free", taken_by_whoever_comes),)),
    "leans_on_its_own_row_alone": Planted(how="a decision is written although what it leaned on has changed", patches=((drive.Driver, "_leaned", lambda real: staticmethod(nothing(real))),)),
    "concerns_nobody": Planted(how="who comes later raises no revision", patches=((opening, "_concerned", nothing),)),
    "win_is_not_looked_for": Planted(how="what ties to a bet is not looked for", patches=((gather, "won", never), (ties, "won", never))),
    "ties_to_the_first_of_several": Planted(how="a win that names none of several bets ties to the first", patches=((gather, "bets_of", first_of_several), (opening, "bets_of", first_of_several),)),
    "moved_by_the_last": Planted(how="what a round's refund moved is what its last part moved", patches=((undoing, "together", moved_by_the_last),)),
    "time_jumps": Planted(how="a clock that stepped is believed", patches=((Moment, "passed", no_steps), (Moment, "in_flight", no_steps))),
    "lease_is_not_looked_at": Planted(how="a process that stood still sends although its lease is another's", patches=((errand.Errand, "may_send", always),)),
    "lease_ends_with_its_call": Planted(how="a lease is over when its call is", patches=((errand, "LEASE_MARGIN_SECONDS", instead(0.0)),)),
    "sleeps_past_the_silence": Planted(how="settlement's next look comes after the silence is over", patches=((drive, "silence_left", instead(lambda case: None)),)),
    "foreign_balance_kept": Planted(how="a no shows a balance in another currency", patches=((exchange, "in_currency", foreign_balance_kept),)),
    "balance_takes_it_all": Planted(how="a balance in addition may take all of the time", patches=((pipeline, "BALANCE_SHARE", instead(1.0)),)),
    "game_of_the_last_call": Planted(how="a rollback's game is not its bet's", patches=((words.Known, "game", game_of_the_last_call),)),
    "no_jitter": Planted(how="what is owed comes back in one moment", patches=((drive, "pause", instead(lambda key, tries: timedelta(seconds=2.0**min(tries, 10)))),)),
}  # fmt: skip

UNDONE_COUNTS: Planted = Planted(
    how="counts one that was itself undone", rule="another_rollback",
    patches=(
        *told_otherwise("another_rollback", seeing(around(unclaimed=False))),
        (Case, "unclaimed", still_claimed),
    ),
)  # fmt: skip

BUGS: Mapping[str, Planted] = {**RULES_FORGOTTEN, "undone_still_counts": UNDONE_COUNTS, **BESIDE}

NOTICED: Mapping[str, str] = {
    "without_other_content": "rules_identity.rule_02_the_same_id_with_other_content_is_a_mismatch",
    "without_taken_back": "rules_compound.rule_19_what_a_declined_batch_gave_back_was_never_accepted_by_itself",
    "without_silence_over": "history_clock.rule_26_an_answer_that_nobody_read_is_doubt_told",
    "without_taken_in_vain": "history_batches.rule_19_what_a_batch_took_is_given_back_when_a_person_declines_the_rest",
    "without_already_decided": "rules_decisions.rule_07_a_replay_hears_the_same_decision_and_wallet_id",
    "without_answered": "rules_decisions.rule_06_every_no_to_a_debit_is_final",
    "without_cancel_stopped": "story.a_rollback_that_will_not_undo_it_after_all",
    "without_never_applied": "story.queries_and_a_movement_never_applied",
    "without_wallet_gone": "history_places.rule_23_what_is_unresolved_is_sent_to_no_other_wallet",
    "without_carried_elsewhere": "history_nodes.rule_24_a_repeat_at_another_node_waits_for_the_one_that_asks",
    "without_came_too_late": "rules_doubt.rule_15_a_cancel_that_comes_first_leaves_a_tombstone",
    "without_round_over": "page_words.rule_15_nothing_comes_once_a_round_is_over_where_the_page_says_so",
    "without_rollback_stands": "story.the_cancel_of_a_debit_that_was_never_sent_needs_no_wallet",
    "without_forbidden": "rules_compound.rule_16_with_a_win_in_the_round_it_is_already_settled",
    "without_another_rollback": "rules_doubt.rule_15_a_second_cancel_under_another_id_is_declined_from_the_journal",
    "without_nothing_was_sent": "rules_compound.rule_20_a_free_debit_is_never_sent_to_a_wallet_that_cannot_say_so",
    "without_nobody_knows": "rules_sessions.rule_06_without_a_route_a_debit_is_declined_and_a_win_waits_for_a_person",
    "without_settle_legs": "rules_compound.rule_18_a_declined_debit_declines_the_settle",
    "without_undo_legs": "history_settles.rule_18_the_providers_other_settles_go_on",
    "without_refund_parts": "history_rounds.rule_16_a_refund_of_which_nothing_moved_is_refused_with_that_reason",
    "without_target_unsent": "story.the_cancel_of_a_debit_that_was_never_sent_needs_no_wallet",
    "without_target_in_doubt": "rules_doubt.rule_11_the_cancel_of_a_bet_that_the_wallet_then_declines_is_not_found",
    "without_batch_broken": "rules_noticed.rule_19_the_win_of_a_batch_whose_last_bet_is_declined_after_doubt_is_not_paid",
    "without_its_bet_was_undone": "page_words.rule_15_a_win_of_a_bet_that_the_journal_knows_as_undone_is_not_asked",
    "without_its_bet_first": "rules_doubt.rule_13_a_win_is_not_sent_while_its_bet_stays_in_doubt",
    "without_no_words": "rules_compound.rule_20_a_tracking_only_debit_is_told_to_nobody_without_words_for_it",
    "without_never_went": "story.a_debit_that_was_never_sent_is_declined_when_nobody_waits_for_it_any_more",
    "without_in_the_air": "rules_identity.rule_02_concurrent_repeats_cause_one_wallet_call_and_hear_the_same",
    "without_meets_a_rollback": "history_guesses.rule_16_a_bet_meets_no_refund_of_its_round_that_is_still_on_its_way",
    "without_first_asking": "rules_doubt.rule_09_a_safe_wallet_is_asked_again_while_the_provider_waits",
    "without_journal_forgot": "rules_noticed.rule_30_a_plain_no_after_the_journal_forgot_is_doubt_and_a_persons",
    "without_forgotten": "rules_doubt.rule_14_safe_is_a_word_about_what_the_wallet_remembers",
    "without_second_asking": "rules_doubt.rule_09_a_safe_wallet_is_asked_again_while_the_provider_waits",
    "without_query": "story.doubt_its_attempts_and_its_end",
    "without_never_again": "rules_doubt.rule_14_never_allows_no_second_attempt_and_waits_for_a_person",
    "without_late_answers": "rules_doubt.rule_28_a_repeat_while_it_is_asked_waits_within_its_own_time",
    "clock_beside_an_open_call": "history_clock.rule_12_the_clock_never_runs_out_while_a_call_of_it_is_open",
    "clock_beside_a_win": "rules_noticed.rule_12_a_win_stops_the_clock_of_a_bet_that_was_accepted_after_doubt",
    "asked_although_cancelled": "rules_noticed.rule_10_a_bet_whose_cancel_may_have_left_is_not_asked_although_a_win_came",
    "lands_when_it_is_forgotten": "rules_doubt.rule_14_no_second_asking_may_land_when_the_wallet_has_forgotten_the_first",
    "cancel_beside_a_win": "story.a_rollback_that_will_not_undo_it_after_all",
    "anybodys_cancel": "rules_doubt.rule_15_the_tombstone_of_another_players_bet_refuses_nobody",
    "refund_beside_a_win": "rules_compound.rule_16_with_a_win_in_the_round_it_is_already_settled",
    "undone_still_counts": "history_rollbacks.rule_15_so_does_that_of_a_bet_rolled_forward_under_the_version_before",
    "one_word_is_a_yes": "rules_one_word.rule_05_the_word_for_both_is_no_yes_where_nobody_knows_the_bet",
    "cancel_beside_its_win": "rules_one_word.rule_05_a_cancel_waits_for_the_win_of_its_bet",
    "win_of_what_was_given_back": "rules_one_word.rule_05_a_win_waits_for_the_cancel_of_its_bet",
    "win_waits_for_its_cancel": "rules_noticed.rule_13_a_win_goes_to_the_wallet_once_its_bets_cancel_may_have_left",
    "doubt_is_a_no": "rules_decisions.rule_04_what_is_neither_yes_nor_no_is_doubt",
    "never_is_asked_again": "rules_doubt.rule_14_never_allows_no_second_attempt_and_waits_for_a_person",
    "query_is_asked_again": "rules_doubt.rule_09_a_wallet_that_is_not_safe_is_not_asked_again",
    "applied_is_safe": "history_time.rule_14_of_whatever_takes_a_later_no_is_doubt_at_an_applied_wallet",
    "hold_asked_as_a_debit": "history_holds.rule_14_a_hold_that_its_wallet_names_is_asked_once",
    "hold_by_our_name": "history_holds.rule_15_the_release_of_a_hold_whose_name_nobody_heard_is_a_persons",
    "second_no_is_a_no": "rules_decisions.rule_05_already_rolled_back_for_our_own_repeated_rollback_is_a_yes",
    "win_declined_for_good": "rules_decisions.rule_06_a_declined_win_is_owed_and_the_providers_retry_reaches_the_wallet",
    "not_found_is_final": "history_rollbacks.rule_06_not_found_of_whatever_was_accepted_is_no_decision",
    "forgotten_is_never_applied": "rules_noticed.rule_14_a_wallet_that_has_forgotten_a_bet_is_not_believed_that_there_was_none",
    "nothing_in_flight": "rules_doubt.rule_10_a_404_to_a_query_means_nothing_while_the_request_may_still_be_queued",
    "already_settled_is_believed": "rules_decisions.rule_05_already_settled_to_a_later_rollback_is_believed_only_where_the_id_comes_first",
    "late_answer_dropped": "rules_doubt.rule_28_the_wallets_late_answer_is_journalled_and_counts",
    "doubt_forgotten": "history_clock.rule_26_an_answer_that_nobody_read_is_doubt_told",
    "repeat_not_counted": "history_clock.rule_26_a_node_that_stood_still_takes_no_hearing_from_another_one",
    "doubt_is_heard_as_a_yes": "rules_doubt.rule_11_from_the_cancel_on_repeats_of_the_bet_are_declined",
    "hearing_revives": "rules_noticed.rule_26_taking_a_hearing_away_is_final_for_that_call_in_any_order",
    "own_rollback_again": "history_nodes.rule_12_a_cancel_beside_the_clock_at_two_nodes_is_one_rollback",
    "no_claim": "rules_doubt.rule_15_a_second_cancel_under_another_id_is_declined_from_the_journal",
    "kept_although_told": "rules_ends.rule_11_a_bet_that_was_told_as_rolled_back_is_kept_by_no_win",
    "win_before_its_cancel": "rules_ends.rule_11_a_bet_that_was_told_as_rolled_back_is_kept_by_no_win",
    "undone_and_not_written": "rules_ends.rule_11_what_the_repeat_of_an_accepted_bet_hears_of_its_cancel_no_win_undoes",
    "settler_asks_debits": "rules_noticed.rule_09_settlement_asks_no_bet_again_that_nobody_waits_for",
    "one_id_for_all": "history_names.rule_03_one_id_of_two_players_is_two_movements_at_the_wallet",
    "told_as_anothers": "ids.rule_03_of_two_that_meet_the_later_is_told_the_next",
    "answer_before_it_is_durable": "rules_identity.rule_02_the_same_id_with_other_content_is_a_mismatch",
    "taken_by_whoever_comes": "history_nodes.rule_24_a_repeat_at_another_node_waits_for_the_one_that_asks",
    "concerns_nobody": "rules_noticed.rule_31_a_win_that_comes_while_its_bet_is_being_declined_elsewhere_completes_it",
    "win_is_not_looked_for": "history_wins.rule_09_settlement_of_two_nodes_completes_the_bet_of_a_win_once",
    "ties_to_the_first_of_several": "rules_doubt.rule_13_a_win_that_names_none_of_two_bets_waits_for_neither",
    "moved_by_the_last": "rules_compound.rule_16_what_a_rounds_refund_moved_is_the_sum_of_its_parts",
    "time_jumps": "history_time.rule_29_a_jump_ahead_makes_no_wallet_forget",
    "lease_is_not_looked_at": "rules_clock.rule_24_a_process_that_wakes_up_after_the_takeover_sends_nothing",
    "lease_ends_with_its_call": "rules_clock.rule_24_a_lease_outlives_its_call_as_long_as_bytes_may_leave",
    "sleeps_past_the_silence": "rules_clock.rule_12_settlement_does_not_sleep_past_the_end_of_the_silence",
    "foreign_balance_kept": "rules_decisions.rule_04_a_dialect_need_not_compare_the_currency_of_a_no",
    "balance_takes_it_all": "rules_decisions.rule_08_a_balance_that_does_not_come_leaves_time_for_the_answer",
    "game_of_the_last_call": "rules_sessions.rule_21_the_game_that_a_rollback_does_not_say_is_that_of_its_bet",
    "no_jitter": "rules_doubt.rule_13_what_is_owed_to_one_wallet_does_not_come_back_in_one_moment",
}
"""A bug -> the first test that was found to notice it: `x.y` is the test `test_y` of tests/engine/test_x.py."""

UNMISSED: Mapping[str, str] = {
    "leans_on_its_own_row_alone": "a second lock: whoever comes now raises the open movements that it concerns, so what leaned on them is stale by its own row"
}
"""A bug that nobody notices, and why: such a rule may go."""


@contextmanager
def planted(name: str) -> Iterator[None]:
    kept: list[tuple[Any, str, Any]] = []
    for where, what, patch in BUGS[name].patches:
        real = getattr(where, what)
        kept.append((where, what, inspect.getattr_static(where, what)))
        setattr(where, what, patch(real))
    try:
        yield
    finally:
        for where, what, real in reversed(kept):
            setattr(where, what, real)
