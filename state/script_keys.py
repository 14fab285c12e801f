"""The keys that every acceptance and every commit names, in the order of their scripts."""

from state.conversation import Conversation
from state.keys import Keys


class ScriptKeys:
    """Names of keys by the dozen. Those of a partition are made once: each event has them all."""

    def __init__(self, keys: Keys) -> None:
        self._keys = keys
        self._accepting: dict[int, tuple[str, ...]] = {}
        self._committing: dict[int, tuple[str, ...]] = {}

    def accepting(self, partition: int) -> tuple[str, ...]:
        """Return what any acceptance in *partition* may touch: accept.lua's second key and those after it."""
        names = self._accepting.get(partition)
        if names is None:
            keys = self._keys
            names = self._accepting[partition] = (
                keys.inbox(partition),
                keys.lease(partition),
                keys.unresolved(partition),
                keys.parked(partition),
                keys.urgent(partition),
            )
        return names

    def committing(self, conversation: Conversation) -> tuple[str, ...]:
        """Return what any change of *conversation* may touch, its partition's first: commit.lua's 1 to 19."""
        partition = self._keys.partition_of(conversation)
        shared = self._committing.get(partition)
        if shared is None:
            shared = self._committing[partition] = self._of_partition(partition)
        tag, text = self._keys.tag(partition), conversation.encode()
        return (
            *shared,
            f"{tag}c:{text}",
            f"{tag}g:{text}",
            f"{tag}p:{text}",
            f"{tag}t:{text}",
            f"{tag}h:{text}",
            f"{tag}q:{text}",
        )

    def _of_partition(self, partition: int) -> tuple[str, ...]:
        keys = self._keys
        return (
            keys.lease(partition),
            keys.inbox(partition),
            keys.attempts(partition),
            keys.due(partition),
            keys.outbox(partition),
            keys.unresolved(partition),
            keys.parked(partition),
            keys.timers(partition),
            keys.states(partition),
            keys.states_until(partition),
            keys.feed(partition),
            keys.resolved(partition),
            keys.overdue(partition),
        )
