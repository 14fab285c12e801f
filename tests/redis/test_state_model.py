"""Random interleavings of everybody who writes one conversation, against a model in plain Python."""

import asyncio
import os
from copy import deepcopy
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from aiogram.fsm.context import FSMContext
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    invariant,
    rule,
    run_state_machine_as_test,
)

from state import ConversationStorage, fields, values
from state.changes import DraftChange
from state.conversation import Conversation
from state.outcomes import Committed
from state.unit_of_work import UnitOfWork
from tests.redis.model import Model, Step, written

#: `make chaos` looks longer.
EXAMPLES = int(os.environ.get("GATEWAY_MODEL_EXAMPLES", "60"))
STEPS = 30
#: A value that makes a conversation large, so that handlers read it by need.
BULK = "x" * 40_000
#: So many fields that the conversation has an index.
MANY = 70

USERS = count(1)
# Few names, so that writers meet.
FEATURES = st.sampled_from(["a", "x:y%3A"])
NAMES = st.sampled_from(["n", "self"])
KEYS = st.sampled_from(["k", "draft:a", "draft:"])
STATES = st.sampled_from([None, "A", "B"])
VALUES: st.SearchStrategy[Any] = st.sampled_from(
    [1, 2**70, None, True, "text", [], {}, {"n": 1}, {"self": {"deep": []}, "n": None}]
)
DATA = st.dictionaries(KEYS, VALUES, max_size=3)
ITEMS = st.dictionaries(NAMES, VALUES, max_size=2)


def steps() -> st.SearchStrategy[Step]:
    """Any call of a context or a manager."""

    def step(name: str, *arguments: st.SearchStrategy[Any]) -> st.SearchStrategy[Step]:
        return st.builds(Step, st.just(name), st.tuples(*arguments))

    return st.one_of(
        step("set_state", STATES),
        step("get_state"),
        step("set_data", DATA),
        step("get_data"),
        step("update_data", DATA),
        step("get_value", KEYS, VALUES),
        step("clear"),
        step("draft_update", FEATURES, ITEMS),
        step("draft_set_value", FEATURES, NAMES, VALUES),
        step("draft_delete", FEATURES, st.lists(NAMES, max_size=2)),
        step("draft_clear", FEATURES),
        step("draft_get_payload", FEATURES),
        step("draft_get_value", FEATURES, NAMES, VALUES),
        step("draft_increment", FEATURES, NAMES, st.integers(-3, 3)),
        step("draft_append", FEATURES, NAMES, VALUES),
        step("draft_compare_and_set", FEATURES, NAMES, VALUES, VALUES),
        # From then on handlers read by need, or drafts are found through an index.
        st.just(Step("update_data", ({"bulk": BULK},))),
        st.just(Step("draft_update", ("a", {f"field {number}": number for number in range(MANY)}))),
    )


SOME_STEPS = st.lists(steps(), min_size=1, max_size=3)


@dataclass
class Handler:
    """A unit of work under way: what it has done, and what it was told."""

    unit: UnitOfWork
    began: int
    """How many changes had been made when it began."""
    model: Model
    """What it sees, if it has read everything at once."""
    read_at_once: bool = True
    done: list[tuple[Step, Any]] = field(default_factory=list)


@dataclass
class Look:
    """What a REST-like writer has read: the revision that its write rests on."""

    revision: int
    model: Model
    changes: int


class Writers(RuleBasedStateMachine):
    """One conversation, and everybody who writes it."""

    redis_url: str
    handlers = Bundle[Handler]("handlers")
    looks = Bundle[Look]("looks")

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.storage = self.runner.run(self._open())
        self.conversation = Conversation.private(42, 10_000 + next(USERS))
        self.context = FSMContext(self.storage, self.conversation.storage_key())
        self.model = Model()
        self.changes = 0

    async def _open(self) -> ConversationStorage:
        return ConversationStorage.from_url(self.redis_url)

    def teardown(self) -> None:
        """Close the connection."""
        self.runner.run(self.storage.close())
        self.runner.close()

    # Whoever writes at once

    @rule(steps=SOME_STEPS)
    def act(self, steps: list[Step]) -> None:
        """A context or a manager outside of any handler: the answer is the model's."""
        for step in steps:
            expected = step.on_model(self.model)
            assert written(self.runner.run(step.on(self.context))) == written(expected), step
            self.changes += 1

    # Handlers, which are begun and committed later, or never

    @rule(target=handlers, steps=SOME_STEPS)
    def begin(self, steps: list[Step]) -> Handler:
        """A handler looks at the conversation."""
        unit = self.runner.run(self.storage.unit_of_work(self.conversation))
        handler = Handler(unit, self.changes, deepcopy(self.model))
        self.act_in_a_handler(handler, steps)
        return handler

    @rule(handler=handlers, steps=SOME_STEPS)
    def go_on(self, handler: Handler, steps: list[Step]) -> None:
        """What a handler does is seen by itself only."""
        self.act_in_a_handler(handler, steps)

    def act_in_a_handler(self, handler: Handler, steps: list[Step]) -> None:
        """Do it, and note what the answers were."""

        async def run(step: Step) -> Any:
            with handler.unit.current():
                return await step.on(self.context)

        for step in steps:
            at_once, expected = handler.unit.basis.whole, step.on_model(handler.model)
            found = self.runner.run(run(step))
            handler.done.append((step, found))
            handler.read_at_once &= at_once
            if handler.read_at_once:
                assert written(found) == written(expected), handler.done

    @rule(handler=consumes(handlers))
    def commit(self, handler: Handler) -> None:
        """
        A handler's writes come into force only if it would do now what it has done.

        Nothing came between: they must come into force.
        """
        outcome = self.runner.run(self._commit(handler.unit))
        now = deepcopy(self.model)
        would_do = [written(step.on_model(now)) for step, _ in handler.done]
        did = [written(result) for _, result in handler.done]
        if outcome is Committed.COMMITTED:
            assert did == would_do, handler.done
            self.model = now
            self.changes += 1
        else:
            assert outcome is Committed.CONFLICT
            assert handler.began != self.changes

    async def _commit(self, unit: UnitOfWork) -> Committed:
        unit.closed = True
        outcome = (await self.storage.commit(unit)).outcome
        if outcome is Committed.CONFLICT and unit.basis.move_to(await self.storage.read_again(unit)):
            return (await self.storage.commit(unit)).outcome
        return outcome

    # Writers that name the revision which they have seen

    @rule(target=looks)
    def look(self) -> Look:
        """As GET with its ETag."""
        found = self.runner.run(self.storage.reading.read(self.conversation)).fields
        return Look(int(found.get(fields.REVISION, b"0")), deepcopy(self.model), self.changes)

    @rule(look=looks, feature=FEATURES, items=ITEMS)
    def replace_a_draft(self, look: Look, feature: str, items: dict[str, Any]) -> None:
        """As PUT with If-Match: refused if anything was changed since, taken if nothing was."""
        change = DraftChange(clear=True, set={name: values.dump(item) for name, item in items.items()})
        drafts = {fields.quote_feature(feature): change}
        answer = self.runner.run(self.storage.write(self.conversation, basis=look.revision, drafts=drafts))
        if answer.outcome is Committed.COMMITTED:
            assert look.model.same_as(self.model), "a write on an old basis came into force"
            self.model.clear_draft(feature)
            self.model.put_in_draft(feature, items)
            self.changes += 1
        else:
            assert answer.outcome is Committed.CONFLICT
            assert look.changes != self.changes

    # What everybody sees

    @invariant()
    def everybody_sees_the_model(self) -> None:
        """The state, and the data with all drafts."""
        state, data = self.runner.run(self._seen())
        assert state == self.model.state
        assert written(data) == written(self.model.view())

    async def _seen(self) -> tuple[str | None, dict[str, Any]]:
        return await self.context.get_state(), await self.context.get_data()


def test_whatever_the_writers_do_the_model_says_what_is_there(redis_url: str) -> None:
    """Managers, contexts, handlers that commit later, and writers with an ETag."""

    class Here(Writers):
        pass

    Here.redis_url = redis_url
    run_state_machine_as_test(
        Here,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            deadline=None,
            # Making a failure small takes minutes, which a test does not have.
            phases=[Phase.generate],
            derandomize=EXAMPLES < 100,
            suppress_health_check=list(HealthCheck),
        ),
    )
