"""What one seed is: which providers and wallets there are, which faults exist, and how often.

Every fault has a name and a sentence; the run counts how often each fired and fails if one never did.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from datetime import timedelta

from msgspec import Struct
from msgspec.structs import replace

from gateway.model import Reason
from gateway.serve.discover import find, names
from tests.simulation import pages
from tests.simulation.conduct import more_plays, plays_of
from tests.simulation.mixtures import MIXTURES

WALLET_FAULTS: Mapping[str, str] = {
    "unreachable": "no connection to the wallet: no byte left",
    "lost_before": "the request left and never arrived",
    "lost_after": "the wallet applied it, its answer was lost",
    "late": "the answer came after the attempt's share, or after the provider had gone",
    "queued": "the request waited on its way and arrived long after, behind younger ones",
    "cut": "the answer was cut at some byte",
    "error_before": "500, and nothing was applied",
    "error_after": "applied, and 500",
    "garbage": "applied, and answered with a page of HTML",
    "hang": "no answer until the gateway gives up; nothing was applied",
}
CALL_FAULTS: Mapping[str, str] = {
    "call_lost": "the provider's call never arrived",
    "call_late": "it arrived late, perhaps when its provider had gone",
    "call_twice": "a balancer sent it to two nodes, and only the second answer was read",
    "answer_lost": "the answer was written, and nobody read it",
    "answer_cut": "the provider read a part of the answer",
}
PROCESS_FAULTS: Mapping[str, str] = {
    "kill": "a process died at some await and came back with its journal",
    "freeze": "a process was stopped for a while, and went on",
    "skew": "the wall clock jumped, forwards or back",
    "reload": "another generation of the configuration: other times, other routes",
    "key_rotated": "the wallet refused our key for a while",
    "refuses": "the wallet did not find its players for a while",
}
RARE: Mapping[str, str] = {
    "step": "the wall clock jumped by hours, forwards or back",
    "pause": "a machine was paused: its monotonic clock stood still, the wall clock went on",
    "late_commit": "a commit was durable, and its confirmation was lost",
    "failed_commit": "a commit failed, and some of the processes ended there",
    "lost_commits": "the journal forgot commits that it had confirmed",
    "moved": "a start with another configuration: a wallet gone, or pointed elsewhere",
    "retry": "a person had something asked again",
    "resolve": "a person found out what became of a movement, and said so",
}
"""Faults that change so much that most histories are to be without them."""
LATER_RARE: Mapping[str, str] = {
    "readdressed": "a start with the wallet at another address, which `moved_from` says is the same one"
}
"""The same, since every page is drawn."""
WALLET_HABITS: Mapping[str, str] = {
    "keeps": "the wallet refused for good to undo what it had applied",
    "contradicts": "the wallet did not find, for a while, what it was to undo and had applied",
    "replica": "a query was answered by a replica that had not seen the movement yet",
    "balks": "the wallet would not take a win when it first came",
}
LIES: Mapping[str, str] = {
    "forgets": "the wallet forgot ids sooner than it says",
    "too_late": "a request was applied after `in_flight_max`",
    "other_answer": "the wallet applied it and answered with another call's answer",
    "repeated": "the network handed one request to the wallet twice",
}
CONDUCT: Mapping[str, str] = {
    "answer_gone": "the provider had hung up before its answer was written",
    "cancel_beside": "the cancel was sent while its bet was in the air",
    "cancel_first": "the cancel arrived, and then its bet",
    "win_in_doubt": "a win was sent for a bet in doubt",
    "repeat_later": "a decided call was repeated",
    "gives_up": "a provider never heard a decision and asked no more",
    "silence": "a provider that never cancels fell silent after doubt",
    "round_refund": "a round was refunded",
    "settle": "a bet and its win in one call",
    "batch": "several movements in one call",
    "settle_cancelled": "a settle was cancelled while it was in the air",
    "cancel_then_win": "a bet was cancelled, and then won",
    "win_then_cancel": "a bet was won, and then cancelled",
    "two_cancels": "a bet was cancelled under two ids",
    "win_elsewhere": "a win named a bet of another round, or came without a round",
    "batch_cancelled": "the bets of a batch were cancelled",
    "batch_known": "a bet that stood came again in a batch",
    "partial": "a part of a bet was given back",
    "adjust": "a correction, either way",
    "reserve": "an amount was held",
    "capture": "what was held was taken, all or a part of it",
    "release": "what was held was released",
    "release_first": "the release arrived, and then its reserve",
    "release_beside": "the release was sent while its reserve was in the air",
    "unrollback": "a cancel was taken back",
    "cancelled_again": "a bet was cancelled again after its cancel was taken back",
    "overtaken": "a cancel overtook its bet, and another bet of the round was open (Kyren)",
    "same_id": "another movement came under an id that was used",
    "free_round": "a free bet, which took nothing, was cancelled or won",
    "after_its_round": "more came for a round after the win that ended it",
    "strange_session": "a bet came in a session that is for another game",
    "old_session": "a bet came in a session that its provider was given another one for",
    "arrives": "a provider asked who plays, before its player's first round",
    "win_ended": "a win was declined for good, as its page lets it be (rule 6)",
    "no_word": "a wallet refused in the word for doubt, as its page has no other",
    "one_word": "a page had one word for several reasons, and it was read as the one that was meant",
    "two_nodes": "two nodes shared the journal",
    "short_memory": "the wallet forgot honestly, as it says",
    "anew": "the wallet decided again what it had declined and forgotten (`applied`)",
}
FAULTS: Mapping[str, str] = {
    **WALLET_FAULTS, **CALL_FAULTS, **PROCESS_FAULTS, **RARE, **LATER_RARE, **LIES, **WALLET_HABITS, **CONDUCT
}  # fmt: skip

RARE_SHARE = 0.08
LATER_RARE_SHARE = 0.03
HABIT_SHARE = 0.12
LAG_SECONDS = 15.0  # what a replica has not seen so long was not yet seen when `in_flight_max` is far from over
STEP_HOURS = 5.0
RATES = (0.05, 0.15, 0.4)
PROVIDERS = ("native", "native", "native", "kyren", "scorpio_play", "netgaming", "dragon_gaming", "gameball")
PLAYS_SHARE = 0.35  # of what a provider has words for, it does so much
WALLETS = ("native", "native", "native", "netgaming", "scorpio_play", "kyren")
WORDS = ("safe", "safe", "applied", "query", "query", "never")
FIRST = frozenset(PROVIDERS)
LATER = tuple(name for name in names() if name not in FIRST)
LATER_WALLETS = tuple(name for name in names() if name not in WALLETS)
LATER_SHARE = 0.5
"""Of the ends of each sort: the others speak one of the pages that came first, as often as before among each other."""
SELDOM = frozenset({"hold", "strange_session", "old_session"})
"""What one page alone has words for, so that its providers always know it."""
ARRIVES_SHARE = 0.4
VARIANTS: Mapping[str, tuple[Mapping[str, str], ...]] = {
    "hub88": ({}, {"variant": "caleta"}),
    "evolution": ({}, {"check": "refresh"}),
}
"""Settings with which a page says something else."""
KINDS = ("debit", "credit", "rollback")
SKEW_MAX_SECONDS = 15.0  # the clock's jumps stay inside the margin that `in_flight_max` must have
SKEW_MARGIN_SECONDS = 35.0  # jumps, and what lies between the journal's note and the last byte


class ProviderPlan(Struct, frozen=True, kw_only=True):
    name: str
    dialect: str
    manner: str  # cancels, quiet, presumes
    persists: bool  # goes on until it hears a decision
    after_doubt: float | None
    players: int
    rounds: int
    plays: tuple[str, ...] = ()  # what it does beside ordinary rounds (conduct.py)
    settings: Mapping[str, str] = {}  # its dialect's
    launched: bool = False  # the operator handed its players' sessions over
    arrives: bool = False  # it asks who plays, first


class WalletPlan(Struct, frozen=True, kw_only=True):
    name: str
    dialect: str
    repeats: Mapping[str, str]
    tombstones: bool
    in_flight_max: float
    remembers: float
    answer_within: float
    give_up_after: float
    lie: str = ""
    habits: tuple[str, ...] = ()

    @property
    def queued_max(self) -> float:
        """An honest wallet reads what we sent before `in_flight_max`, by anybody's clock."""
        return self.in_flight_max - SKEW_MARGIN_SECONDS

    @property
    def settles(self) -> bool:
        """Whether all doubt about what it did not lie about can be ended without a person."""
        return "never" not in self.repeats.values()


class Plan(Struct, frozen=True, kw_only=True):
    seed: int
    providers: tuple[ProviderPlan, ...]
    wallets: tuple[WalletPlan, ...]
    rates: Mapping[str, float]
    nodes: int
    calm_after: float  # seconds until the faults stop

    def rate(self, fault: str) -> float:
        return self.rates.get(fault, 0.0)


class Bias(Struct, frozen=True, kw_only=True):
    """What is drawn more often than by chance: what is rare meets what is rare."""

    often: Mapping[str, float]  # faults at their highest rate, and the share of the histories that have them
    plays: float = PLAYS_SHARE
    nodes: int = 0  # of each history; 0: as it is drawn
    providers: tuple[str, ...] = ()  # whose pages most of its providers speak
    rounds: int = 0  # of each player; 0: as it is drawn
    mixtures: tuple[str, ...] = ()  # plays of `MIXTURES`, which most rounds of who has words for them are


AMONG_SHARE = 0.8  # of the providers, where a bias says whose pages they speak
MIXTURE_WEIGHT = 4  # of a mixture, beside a play
_ON_THE_WAY = {"late": 0.3, "lost_after": 0.3, "queued": 0.4, "call_twice": 0.2, "unreachable": 0.2, "kill": 0.2}


BIASES: Mapping[str, Bias] = {
    "forgets": Bias(often={"lost_commits": 1.0, "resolve": 0.6, "retry": 0.3}, plays=0.5),
    "steps": Bias(often={"step": 0.7, "pause": 0.4, "skew": 0.4, "kill": 0.4, "resolve": 0.3}),
    "busy": Bias(
        often={"call_twice": 0.5, "late": 0.5, "freeze": 0.4, "kill": 0.4, "moved": 0.3, "reload": 0.3}, plays=0.8, nodes=2
    ),
    "places": Bias(
        often={"readdressed": 1.0, "moved": 0.5, "reload": 0.5, "kill": 0.4, "queued": 0.4, "late": 0.3}, nodes=2
    ),
    "tables": Bias(often=_ON_THE_WAY, rounds=2, mixtures=("table",)),
    "lists": Bias(
        often=_ON_THE_WAY, providers=("native", "native", "softswiss", "neverending"), rounds=3, mixtures=("mixed_list",)
    ),
}  # fmt: skip


def draw_plan(seed: int, *, first: bool = False, bias: str = "") -> Plan:
    """`first`: of the pages that came first alone, as it was drawn then. `bias`: names of `BIASES`, joined with +."""
    biases = [BIASES[name] for name in bias.split("+")] if bias else []
    plays = max((each.plays for each in biases), default=PLAYS_SHARE)
    plan = _of_the_first(seed, plays)
    for name, each in zip(bias.split("+"), biases, strict=False):
        chance = random.Random(f"{name}/{seed}")
        rates = {fault: RATES[-1] for fault, share in each.often.items() if chance.random() < share}
        plan = replace(plan, rates={**plan.rates, **rates}, nodes=each.nodes or plan.nodes)
    if first:
        return plan
    plan = _of_all(plan, plays, tuple(name for each in biases for name in each.providers))
    for each in biases:
        plan = replace(plan, providers=tuple(_mixing(p, each) for p in plan.providers))
    return plan


def _mixing(plan: ProviderPlan, bias: Bias) -> ProviderPlan:
    speech = pages.speech_of(plan.dialect, *plan.settings.items())
    mixtures = tuple(name for name in bias.mixtures if getattr(speech, MIXTURES[name].says)) * MIXTURE_WEIGHT
    return replace(plan, plays=(*mixtures, *plan.plays), rounds=bias.rounds or plan.rounds)


def _of_all(plan: Plan, plays: float, among: tuple[str, ...] = ()) -> Plan:
    """The same world, in which some ends speak other pages, and do what those have words for. `among`: whose those are."""
    chance = random.Random(f"pages/{plan.seed}")
    providers = tuple(_later_provider(chance, p, plays, among) for p in plan.providers)
    later = random.Random(f"later/{plan.seed}")
    rare = {name: later.choice(RATES) for name in LATER_RARE if later.random() < LATER_RARE_SHARE}
    return replace(
        plan, providers=providers, wallets=tuple(_later_wallet(chance, w) for w in plan.wallets),
        rates={**rare, **plan.rates},
    )  # fmt: skip


def _later_provider(
    chance: random.Random, plan: ProviderPlan, plays: float, among: tuple[str, ...] = ()
) -> ProviderPlan:
    other = chance.random() < (AMONG_SHARE if among else LATER_SHARE)
    if other:
        dialect = chance.choice(among or LATER)
        plan = replace(plan, dialect=dialect, plays=(), settings=chance.choice(VARIANTS.get(dialect, ({},))))
    first = plan.dialect in FIRST and not other
    more = [
        name for name in more_plays(plan.dialect, plan.settings, first=first)
        if chance.random() < plays or name in SELDOM
    ]  # fmt: skip
    more += [name for name in plays_of(plan.dialect) if first and name in SELDOM and name not in plan.plays]
    speech, later = pages.speech_of(plan.dialect, *plan.settings.items()), plan.dialect in LATER
    manner = plan.manner if speech.cancels or plan.manner != "cancels" else "quiet"
    silence = pages.silence(find(plan.dialect).dialect)
    return replace(
        plan, plays=(*plan.plays, *more), manner=manner, launched=later,
        arrives=speech.arrives and chance.random() < ARRIVES_SHARE,
        after_doubt=silence if plan.after_doubt is None else plan.after_doubt,
    )  # fmt: skip


def _later_wallet(chance: random.Random, plan: WalletPlan) -> WalletPlan:
    if chance.random() >= LATER_SHARE:
        return plan
    dialect = chance.choice(LATER_WALLETS)
    words = tuple(word for word in WORDS if word != "query" or pages.can_be_asked(dialect))
    one = chance.choice(words) if chance.random() < 0.5 else ""
    habits = tuple(habit for habit in plan.habits if _has_words(dialect, habit))
    return replace(plan, dialect=dialect, repeats={kind: one or chance.choice(words) for kind in KINDS}, habits=habits)


def _has_words(dialect: str, habit: str) -> bool:
    """Whether a wallet that does so can say it: what it says in the word for "done" nobody can tell from that."""
    match habit:
        case "replica":
            return pages.can_be_asked(dialect)
        case "keeps":
            return pages.says_apart(dialect, Reason.ALREADY_SETTLED)
        case "contradicts":
            return pages.says_apart(dialect, Reason.TRANSACTION_NOT_FOUND) and pages.says_apart(
                dialect, Reason.ALREADY_SETTLED
            )
    return True


def _of_the_first(seed: int, plays: float) -> Plan:
    chance = random.Random(f"plan/{seed}")
    faults = [*WALLET_FAULTS, *CALL_FAULTS, *PROCESS_FAULTS]
    rates = {name: chance.choice(RATES) for name in faults if chance.random() < 0.3}
    rates |= {name: chance.choice(RATES) for name in RARE if chance.random() < RARE_SHARE}
    return Plan(
        seed=seed,
        providers=tuple(_provider(chance, number, plays) for number in range(chance.choice((1, 1, 2)))),
        wallets=tuple(_wallet(chance, number) for number in range(chance.choice((1, 1, 2)))),
        rates=rates,
        nodes=chance.choice((1, 2)),
        calm_after=chance.uniform(15, 50),
    )


def _provider(chance: random.Random, number: int, plays: float) -> ProviderPlan:
    manner = chance.choice(("cancels", "cancels", "quiet", "presumes"))
    clock = chance.choice((5.0, 20.0)) if manner == "quiet" or chance.random() < 0.25 else None
    dialect = chance.choice(PROVIDERS)
    return ProviderPlan(
        name=f"prov{number}",
        dialect=dialect,
        manner=manner,
        persists=chance.random() < 0.85,
        after_doubt=clock,
        players=chance.choice((1, 2)),
        rounds=chance.choice((1, 2)),
        plays=tuple(name for name in plays_of(dialect) if chance.random() < plays),
    )


def _wallet(chance: random.Random, number: int) -> WalletPlan:
    dialect = chance.choice(WALLETS)
    # Only native can be asked what became of an id; elsewhere the second asking is safe or forbidden.
    native = dialect == "native"
    words = WORDS if native else ("safe", "safe", "applied", "never")
    one = chance.choice(words) if chance.random() < 0.5 else ""
    habits = tuple(
        name for name in WALLET_HABITS if chance.random() < HABIT_SHARE and (native or name != "replica")
    )  # fmt: skip
    return WalletPlan(
        name=f"wallet{number}",
        dialect=dialect,
        repeats={kind: one or chance.choice(words) for kind in KINDS},
        # Who does not see what it applied cannot promise to refuse what comes after its rollback.
        tombstones=chance.random() < 0.5 and "contradicts" not in habits,
        in_flight_max=chance.choice((60.0, 120.0)),
        remembers=chance.choice((90.0, 600.0, 600.0)),
        answer_within=chance.choice((0.5, 1.5)),
        give_up_after=chance.choice((3.0, 10.0)),
        lie=chance.choice(tuple(LIES)) if chance.random() < 0.15 else "",
        habits=habits,
    )


def seconds(value: float) -> timedelta:
    return timedelta(seconds=value)
