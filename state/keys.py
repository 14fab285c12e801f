"""
Every key that the gateway writes.

``NN`` is a partition in two hexadecimal digits. It stands in braces, Redis Cluster's hash tag, so that all
that one event changes lies in one slot and can be changed by one script.

| pattern                        | type   | holds                                         | expiry                       | owner        |
|--------------------------------|--------|-----------------------------------------------|------------------------------|--------------|
| gw:{NN}:c:<conversation>       | hash   | state, revision, data, drafts, screen         | conversation, renewed on use | storage      |
| gw:{NN}:g:<conversation>       | hash   | garbage messages: place -> state, time        | conversation, renewed on use | garbage      |
| gw:{NN}:q:<conversation>       | list   | who waits for its turn; the first one has it  | turn, renewed                | isolation    |
| gw:{NN}:w:<conversation>       | zset   | ticket of a turn -> until when it counts, ms  | turn, renewed                | isolation    |
| gw:{NN}:made:<random>          | string | a change of a client that may ask again       | 2 minutes                    | storage      |
| gw:{NN}:seen:<source>:<key>    | string | inbox id of an accepted idempotency key       | the source's retry horizon   | inbox        |
| gw:{NN}:inbox                  | stream | events owed                                   | none: owed work              | inbox        |
| gw:{NN}:urgent                 | set    | inbox ids of queries that a user waits for    | none: goes with the entries  | inbox        |
| gw:{NN}:attempts               | hash   | inbox id -> handler runs begun                | none: goes with the entry    | inbox        |
| gw:{NN}:due                    | zset   | inbox id -> time of its next run, ms          | none: goes with the entry    | inbox        |
| gw:{NN}:parked                 | zset   | inbox id of a parked event -> until when, ms  | none: goes with the entry    | inbox        |
| gw:{NN}:p:<conversation>       | set    | inbox ids of its parked events                | none: goes with the entries  | inbox        |
| gw:{NN}:journal:<inbox id>     | hash   | results of Bot API calls made by a handler    | retention                    | journal      |
| gw:{NN}:outbox                 | stream | effects owed to Telegram                      | none: owed work              | outbox       |
| gw:{NN}:timers                 | zset   | timer -> when it is due, ms                   | none: goes with the timers   | timers       |
| gw:{NN}:t:<conversation>       | hash   | timer's name -> its event, bound to the state | none: goes with the timers   | timers       |
| gw:{NN}:tally                  | hash   | what delivery could not do, counted           | none: one small hash         | tally        |
| gw:{NN}:sent:<bot>:<chat>      | list   | when something was sent to the chat, ms       | the chat's longest limit     | budgets      |
| gw:{NN}:pause:<bot>:<chat>     | string | Telegram's 429 for the chat                   | its retry_after              | budgets      |
| gw:{NN}:closed:<bot>:<chat>    | string | why the chat takes nothing from the bot       | conversation                 | chats        |
| gw:{NN}:moved:<bot>:<chat>     | string | the supergroup that the group is now          | conversation                 | migrations   |
| gw:{NN}:was:<bot>:<chat>       | string | the group that the supergroup was             | conversation                 | migrations   |
| gw:{NN}:parcel:<conversation>  | string | all that it held, on its way to the other id  | conversation                 | migrations   |
| gw:{NN}:unpacked:<sha1>        | string | that this parcel was unpacked here            | conversation                 | migrations   |
| gw:{NN}:told:<ticket>          | string | what became of an effect somebody waits for   | a minute                     | outbox       |
| gw:{bot:<bot>}:sent            | list   | when the bot sent something, ms               | the bot's longest limit      | budgets      |
| gw:{bot:<bot>}:pause           | string | Telegram's 429 for the bot                    | its retry_after              | budgets      |
| gw:{NN}:dead                   | stream | events given up, with the reason              | none: swept by retention     | sweeper      |
| gw:{NN}:unresolved             | stream | authenticated events without a conversation   | none: swept by retention     | inbox        |
| gw:{NN}:resolved               | hash   | id of an event that was unresolved -> its new | none: goes with the entry    | inbox        |
| gw:{NN}:wait:<token>           | list   | unresolved ids that carry this token          | retention                    | inbox        |
| gw:{NN}:x:<token>              | hash   | an expectation                                | the expectation's            | expectations |
| gw:{NN}:overdue                | zset   | <source> <token> -> when to ask it, ms        | the longest expectation's    | overdue      |
| gw:{NN}:rank:<object>          | string | how far a provider's object has come          | retention                    | inbox        |
| gw:{NN}:states                 | zset   | <bot> <state> <conversation>, in that order   | none: goes with them         | directory    |
| gw:{NN}:states-until           | zset   | the same members -> when they expire, ms      | none: goes with them         | directory    |
| gw:{NN}:h:<conversation>       | list   | its last changes, the newest first            | conversation, renewed on use | history      |
| gw:{NN}:end:<inbox id>         | string | how an external event ended                   | a week                       | standings    |
| gw:{NN}:feed                   | stream | the last changes of state, for who looks on   | a day after the last one     | feed         |
| gw:{NN}:sub:<subscriber>       | stream | changes of state that it is owed word of      | a month after the last one   | subscribers  |
| gw:{NN}:sub-tries:<subscriber> | hash   | entry of it -> attempts made, next one in ms  | a month after the last one   | subscribers  |
| gw:{NN}:lease                  | string | <worker>/<fencing token>                      | lease time                   | lease        |
| gw:{NN}:fence                  | string | the last fencing token                        | none: only ever grows        | lease        |
| gw:{NN}:idem:<source>:<key>    | string | digest of the body that came with a key       | the source's retry horizon   | idempotency  |
| gw:api-keys                    | hash   | keys of services, as digests: id -> key       | none: until revoked, few     | api keys     |
| gw:quota:<key id>:<second>     | string | calls that the key made in that second        | ten seconds                  | api keys     |
| gw:{<stream>}:<group>:reader   | string | the process that reads a service's stream     | lease time                   | streams      |
| gw:{<stream>}:<group>:place    | string | the last entry of it that the inbox has       | three months                 | streams      |
| gw:{NN}:disk                   | string | a mark that the disk is asked for             | a minute                     | durability   |
| gw:counts                      | hash   | what all processes have done, by name         | none: one small hash         | counts       |
| gw:workers                     | zset   | live workers -> until when a sign counts, ms  | none: one small set          | lease        |
| gw:webhooks                    | string | the process that sets the bots' webhooks      | 15 s                         | webhook_log  |
| gw:inquiry:<source>            | string | that the source's provider was asked lately   | until it is asked again      | inquiries    |
| gw:object:<source>:<digest>    | string | the token that a provider's object came with  | 180 days                     | objects      |
| gw:meta                        | hash   | the number of partitions; each bot's webhook  | none: one small hash         | connection   |
"""

import zlib
from collections.abc import Sequence
from urllib.parse import quote

from state.conversation import Conversation

#: Keys that have no expiry, each for the reason in the table above.
PERMANENT: Sequence[str] = (
    "*:inbox",
    "*:urgent",
    "*:attempts",
    "*:due",
    "*:parked",
    "*:p:*",
    "*:outbox",
    "*:timers",
    "*:t:*",
    "*:tally",
    "*:dead",
    "*:unresolved",
    "*:resolved",
    "*:states",
    "*:states-until",
    "*:fence",
    "*:api-keys",
    "*:workers",
    "*:meta",
    "*:counts",
)

#: A token and a hash tag carry the partition as two hexadecimal digits.
MAX_PARTITIONS = 256


class Keys:
    """Names of keys, under one prefix and for a fixed number of partitions."""

    def __init__(self, prefix: str = "gw", partitions: int = 64) -> None:
        if not 1 <= partitions <= MAX_PARTITIONS:
            raise ValueError(f"partitions must be between 1 and {MAX_PARTITIONS}, not {partitions}")
        self.prefix = prefix
        self.partitions = partitions
        self._tags = [f"{prefix}:{{{number:02x}}}:" for number in range(partitions)]

    def tag(self, partition: int) -> str:
        """Return what all names of a partition begin with."""
        return self._tags[partition]

    def partition_of(self, conversation: Conversation) -> int:
        """Return the partition of the conversation's chat."""
        return conversation.checksum() % self.partitions

    def partition_of_call(self, source: str, idempotency_key: str) -> int:
        """Return the partition of a call that names no conversation."""
        return zlib.crc32(f"{source}:{idempotency_key}".encode()) % self.partitions

    def conversation(self, conversation: Conversation) -> str:
        return self._of_conversation(conversation, "c")

    def garbage(self, conversation: Conversation) -> str:
        return self._of_conversation(conversation, "g")

    def _of_conversation(self, conversation: Conversation, kind: str) -> str:
        return f"{self._tags[self.partition_of(conversation)]}{kind}:{conversation.encode()}"

    def parked_of(self, conversation: Conversation) -> str:
        return self._of_conversation(conversation, "p")

    def turns(self, conversation: Conversation) -> str:
        return self._of_conversation(conversation, "q")

    def waiters(self, conversation: Conversation) -> str:
        return self._of_conversation(conversation, "w")

    def made(self, partition: int, name: str) -> str:
        return f"{self._tags[partition]}made:{name}"

    def seen(self, partition: int, source: str, idempotency_key: str) -> str:
        return f"{self._tags[partition]}seen:{source}:{idempotency_key}"

    def inbox(self, partition: int) -> str:
        return self._tags[partition] + "inbox"

    def urgent(self, partition: int) -> str:
        return self._tags[partition] + "urgent"

    def attempts(self, partition: int) -> str:
        return self._tags[partition] + "attempts"

    def due(self, partition: int) -> str:
        return self._tags[partition] + "due"

    def parked(self, partition: int) -> str:
        return self._tags[partition] + "parked"

    def journal(self, partition: int, entry_id: str) -> str:
        return f"{self._tags[partition]}journal:{entry_id}"

    def outbox(self, partition: int) -> str:
        return self._tags[partition] + "outbox"

    def timers(self, partition: int) -> str:
        return self._tags[partition] + "timers"

    def timers_of(self, conversation: Conversation) -> str:
        return self._of_conversation(conversation, "t")

    def tally(self, partition: int) -> str:
        return self._tags[partition] + "tally"

    def budget(self, conversation: Conversation) -> str:
        return self._of_chat(conversation, "sent")

    def pause(self, conversation: Conversation) -> str:
        return self._of_chat(conversation, "pause")

    def closed(self, conversation: Conversation) -> str:
        business = conversation.business_connection_id
        return self._of_chat(conversation, "closed") + (f":b{quote(business, safe='')}" if business else "")

    def told(self, conversation: Conversation, ticket: str) -> str:
        return f"{self._tags[self.partition_of(conversation)]}told:{ticket}"

    def moved(self, conversation: Conversation) -> str:
        return self._of_chat(conversation, "moved")

    def was(self, conversation: Conversation) -> str:
        return self._of_chat(conversation, "was")

    def parcel(self, conversation: Conversation) -> str:
        return self._of_conversation(conversation, "parcel")

    def unpacked(self, conversation: Conversation, sha: str) -> str:
        return f"{self._tags[self.partition_of(conversation)]}unpacked:{sha}"

    def _of_chat(self, conversation: Conversation, kind: str) -> str:
        tag = self._tags[self.partition_of(conversation)]
        return f"{tag}{kind}:{conversation.bot_id}:{conversation.chat_id}"

    def bot_budget(self, bot_id: int) -> str:
        return f"{self.prefix}:{{bot:{bot_id}}}:sent"

    def bot_pause(self, bot_id: int) -> str:
        return f"{self.prefix}:{{bot:{bot_id}}}:pause"

    def dead(self, partition: int) -> str:
        return self._tags[partition] + "dead"

    def unresolved(self, partition: int) -> str:
        return self._tags[partition] + "unresolved"

    def resolved(self, partition: int) -> str:
        return self._tags[partition] + "resolved"

    def waiting(self, partition: int, token: str) -> str:
        return f"{self._tags[partition]}wait:{token}"

    def expectation(self, partition: int, token: str) -> str:
        return f"{self._tags[partition]}x:{token}"

    def overdue(self, partition: int) -> str:
        return self._tags[partition] + "overdue"

    def disk(self, partition: int) -> str:
        return self._tags[partition] + "disk"

    def rank(self, partition: int, object_key: str) -> str:
        return f"{self._tags[partition]}rank:{object_key}"

    def lease(self, partition: int) -> str:
        return self._tags[partition] + "lease"

    def fence(self, partition: int) -> str:
        return self._tags[partition] + "fence"

    def states(self, partition: int) -> str:
        return self._tags[partition] + "states"

    def states_until(self, partition: int) -> str:
        return self._tags[partition] + "states-until"

    def history(self, conversation: Conversation) -> str:
        return self._of_conversation(conversation, "h")

    def ended(self, partition: int, entry_id: str) -> str:
        return f"{self._tags[partition]}end:{entry_id}"

    def idempotency(self, source: str, idempotency_key: str) -> str:
        partition = self.partition_of_call(source, idempotency_key)
        return f"{self._tags[partition]}idem:{source}:{idempotency_key}"

    @property
    def api_keys(self) -> str:
        return f"{self.prefix}:api-keys"

    def quota(self, key_id: str, second: int) -> str:
        return f"{self.prefix}:quota:{key_id}:{second}"

    def feed(self, partition: int) -> str:
        return self._tags[partition] + "feed"

    def owed_to(self, partition: int, subscriber: str) -> str:
        return f"{self._tags[partition]}sub:{subscriber}"

    def tries(self, partition: int, subscriber: str) -> str:
        return f"{self._tags[partition]}sub-tries:{subscriber}"

    @property
    def counts(self) -> str:
        return f"{self.prefix}:counts"

    @property
    def workers(self) -> str:
        return f"{self.prefix}:workers"

    @property
    def meta(self) -> str:
        return f"{self.prefix}:meta"

    @property
    def webhook_leader(self) -> str:
        return f"{self.prefix}:webhooks"

    def inquiry(self, source: str) -> str:
        return f"{self.prefix}:inquiry:{source}"

    def provider_object(self, source: str, digest: str) -> str:
        return f"{self.prefix}:object:{source}:{digest}"

    def wake_channel(self, worker: str) -> str:
        """Return the channel on which *worker* learns of work that another process left for it."""
        return f"{self.prefix}:wake:{worker}"
