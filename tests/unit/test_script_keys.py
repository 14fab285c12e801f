"""The keys that scripts are given are those that everybody else names."""

from state.conversation import Conversation
from state.keys import Keys
from state.script_keys import ScriptKeys


def test_a_commit_names_the_keys_that_readers_look_at() -> None:
    """A name that were spelt in another way would be written and never read."""
    keys, ada = Keys(partitions=64), Conversation(42, -100_501, 7, thread_id=3, business_connection_id="b:1")

    names = ScriptKeys(keys).committing(ada)

    assert names[13:] == (
        keys.conversation(ada),
        keys.garbage(ada),
        keys.parked_of(ada),
        keys.timers_of(ada),
        keys.history(ada),
        keys.turns(ada),
    )
    assert names[:2] == (keys.lease(keys.partition_of(ada)), keys.inbox(keys.partition_of(ada)))
    assert len(set(names)) == 19
