"""Several replicas call the store in any order, and it agrees with a simple model."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from bot.errors import LeaseLost
from bot.storage.records import Change, Claim, TurnCommand, TurnRecord
from bot.storage.store import Store
from bot.values import Draft, Phase
from tests.unit.storage.questions import question
from tests.unit.storage.sync_replicas import REPLICAS, SyncReplicas

TURNS = tuple(f"Q{n}" for n in range(5))
OTHER_KEYS = st.lists(st.sampled_from(["k0", "k1", "k2"]), max_size=2, unique=True)
KEYS: st.SearchStrategy[list[str]] = (
    st.just([]) | st.just([]) | OTHER_KEYS
)  # mostly those of the turn alone
REPLICA, TURN = st.sampled_from(REPLICAS), st.sampled_from(TURNS)
THREAD = st.sampled_from(["t", "t", "t", "u", None])
EXAMPLES = settings(
    max_examples=20,
    stateful_step_count=30,
    deadline=None,  # a busy machine is no failure
    suppress_health_check=list(HealthCheck),
)
MOSTLY = st.sampled_from([True, True, False])
STALE = st.sampled_from([0, 0, 0, -1])  # mostly the newest fence


@dataclass
class ModelTurn:
    """What the model knows of a turn."""

    thread: str | None
    state: str
    owner: str | None
    texts: tuple[str, ...]
    fence: int = 1
    tries: int = 0
    draft: str = ""
    commands: set[str] = field(default_factory=set)


class StoreMachine(RuleBasedStateMachine):
    """The same is done to the database and to the model; both must say the same."""

    replicas: SyncReplicas

    def __init__(self) -> None:
        super().__init__()
        self.keys: set[str] = set()
        self.known: dict[str, ModelTurn] = {}
        self.asked = 0

    @initialize()
    def clear_database(self) -> None:
        """Every example begins with an empty database."""
        self.replicas.clear()

    @rule(replica=REPLICA, turn=TURN, keys=KEYS, thread=THREAD)
    def claim(self, replica: str, turn: str, keys: list[str], thread: str | None) -> None:
        """A question is delivered to one replica."""
        self.asked += 1
        asked = question(turn, *(keys or [turn]), text=f"<{self.asked}>", ts=f"{self.asked:04}")
        expected = self._expected(asked.id, asked.keys, thread)
        claim = self.replicas.run(self.replicas.stores[replica].claim(asked, thread))
        assert claim is expected
        self._claimed(turn, replica, thread, asked.text, asked.keys, claim)

    @rule(turn=TURN, keys=KEYS, thread=THREAD)
    def claim_at_once(self, turn: str, keys: list[str], thread: str | None) -> None:
        """A question is delivered to all replicas at the same moment."""
        self.asked += 1
        asked = question(turn, *(keys or [turn]), text=f"<{self.asked}>", ts=f"{self.asked:04}")
        expected = self._expected(asked.id, asked.keys, thread)
        stores = self.replicas.stores.values()
        claims = self.replicas.run_together(*(store.claim(asked, thread) for store in stores))
        assert sorted(claims, key=str) == sorted(
            [expected, Claim.DUPLICATE, Claim.DUPLICATE], key=str
        )
        winner = REPLICAS[claims.index(expected)]
        self._claimed(turn, winner, thread, asked.text, asked.keys, expected)

    def _expected(self, turn: str, keys: tuple[str, ...], thread: str | None) -> Claim:
        if self.keys & set(keys) or turn in self.known:
            return Claim.DUPLICATE
        if self._in_thread(thread, "waiting"):
            return Claim.MERGED
        return Claim.QUEUED if self._in_thread(thread, "live") else Claim.CLAIMED

    def _claimed(
        self,
        turn: str,
        replica: str,
        thread: str | None,
        text: str,
        keys: tuple[str, ...],
        claim: Claim,
    ) -> None:
        self.keys |= set(keys)
        if claim is Claim.MERGED:
            self._in_thread(thread, "waiting")[0].texts += (text,)
        elif claim is not Claim.DUPLICATE:
            state = "waiting" if claim is Claim.QUEUED else "live"
            self.known[turn] = ModelTurn(thread, state, replica, (text,))

    def _in_thread(self, thread: str | None, state: str) -> list[ModelTurn]:
        found = self.known.values()
        return [one for one in found if thread and (one.thread, one.state) == (thread, state)]

    @rule(replica=REPLICA, ours=MOSTLY, turn=TURN, stale=STALE)
    def begin(self, replica: str, ours: bool, turn: str, stale: int) -> None:
        """A replica wants a waiting turn to begin."""
        known = self.known.get(turn)
        replica = (ours and known and known.owner) or replica
        fence = (known.fence if known else 1) + stale
        begun = self.replicas.run(_begun(self.replicas.stores[replica], turn, fence))
        if known is None or known.state == "over" or stale or known.owner != replica:
            assert isinstance(begun, LeaseLost)
        elif known.state == "waiting" and self._in_thread(known.thread, "live"):
            assert begun is None
        else:
            known.state = "live"
            assert begun == "\n\n".join(known.texts)

    @rule(replica=REPLICA, turns=st.lists(TURN, unique=True), stale=STALE, over=st.booleans())
    def journal(self, replica: str, turns: list[str], stale: int, over: bool) -> None:
        """A replica writes of several turns; of some it may have an old fence."""
        self.asked += 1
        draft = Draft(Phase.DONE if over else Phase.STREAMING, f"<{self.asked}>")
        found = {turn: self.known[turn] for turn in turns if turn in self.known}
        held = {t: k for t, k in found.items() if k.state != "over" and not stale}
        writable = {t: k for t, k in found.items() if not stale}
        turns = [t for t in turns if t in held or t not in writable]  # nobody writes after the end
        changes = [
            Change(turn, (found[turn].fence if turn in found else 1) + stale, draft, closed=over)
            for turn in turns
        ]
        lost = self.replicas.run(self.replicas.stores[replica].write_changes(changes))
        assert lost == {turn for turn in turns if turn not in held}
        for known in held.values():
            known.draft = draft.text
            if over:
                known.state, known.owner = "over", None

    @rule(replica=REPLICA, turn=TURN, stale=STALE, counted=st.booleans())
    def take_over(self, replica: str, turn: str, stale: int, counted: bool) -> None:
        """A replica takes a turn over that it has seen, perhaps a while ago."""
        known = self.known.get(turn)
        fence = (known.fence if known else 1) + stale
        taken = self.replicas.run(
            self.replicas.stores[replica].take_over(turn, fence, count_crash=counted)
        )
        if known is None or known.state == "over" or stale:
            assert taken is None
        else:
            assert taken is not None
            self._taken(known, replica, counted)

    @rule(turn=TURN, counted=st.booleans())
    def take_over_at_once(self, turn: str, counted: bool) -> None:
        """All replicas find the same turn without an owner that lives."""
        known = self.known.get(turn)
        if known is None or known.state == "over":
            return
        stores = self.replicas.stores.values()
        taken = self.replicas.run_together(
            *(store.take_over(turn, known.fence, count_crash=counted) for store in stores)
        )
        [winner] = [name for name, record in zip(REPLICAS, taken, strict=True) if record]
        self._taken(known, winner, counted)

    def _taken(self, known: ModelTurn, replica: str, counted: bool) -> None:
        known.owner, known.fence, known.tries = replica, known.fence + 1, known.tries + counted

    @rule(replica=REPLICA, turns=st.lists(TURN, unique=True))
    def release(self, replica: str, turns: list[str]) -> None:
        """A replica goes and leaves its turns to the others."""
        self.replicas.run(self.replicas.stores[replica].release(turns))
        for known in (self.known[turn] for turn in turns if turn in self.known):
            if known.owner == replica:
                known.owner = None

    @rule(replica=REPLICA, turn=TURN, person=st.sampled_from(["U1", "U2"]))
    def send_command(self, replica: str, turn: str, person: str) -> None:
        """A person presses Stop, at any replica."""
        known = self.known.get(turn)
        left = self.replicas.run(
            self.replicas.stores[replica].send_command(TurnCommand(turn, person))
        )
        assert left == (known is not None and known.state != "over")
        if known is not None and left:
            known.commands.add(person)

    @rule(replica=REPLICA)
    def receive_commands(self, replica: str) -> None:
        """A replica receives its commands."""
        found = self.replicas.run(self.replicas.stores[replica].receive_commands())
        expected = set()
        for turn, known in self.known.items():
            if known.owner == replica:
                expected |= {(turn, person) for person in known.commands}
                known.commands = set()
        assert len(found) == len(expected)
        assert {(command.turn, command.user) for command in found} == expected

    @invariant()
    def database_agrees_with_the_model(self) -> None:
        """Every turn that is not over stands there as the model knows it."""
        store = self.replicas.stores["one"]
        owners = (None, *REPLICAS)
        found = self.replicas.run_together(*(store.get_unfinished_turns(owner) for owner in owners))
        seen = {one.question.id: _seen(one) for records in found for one in records}
        live = {turn: known for turn, known in self.known.items() if known.state != "over"}
        assert seen == {
            turn: replace(one, thread=None, commands=set()) for turn, one in live.items()
        }
        assert self.replicas.run(store.get_owners()) == {one.owner for one in live.values()} - {
            None
        }


async def _begun(store: Store, turn: str, fence: int) -> str | LeaseLost | None:
    try:
        begun = await store.promote(turn, fence)
    except LeaseLost as lost:
        return lost
    return begun.text if begun else None


def _seen(record: TurnRecord) -> ModelTurn:
    texts = tuple(record.question.text.split("\n\n"))
    state = "waiting" if record.waiting else "live"
    return ModelTurn(
        None, state, record.owner, texts, record.fence, record.crash_count, record.draft.text, set()
    )


@pytest.mark.slow
def test_store_agrees_with_the_model_under_any_sequence_of_calls(url: str) -> None:
    given = SyncReplicas(url)

    class MachineHere(StoreMachine):
        replicas = given

    try:
        run_state_machine_as_test(MachineHere, settings=EXAMPLES)
    finally:
        given.close()
