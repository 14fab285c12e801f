"""What became of every event that was sent."""

from collections import Counter
from typing import Any

from gateway.demo.bot_api import BotApi
from state import ConversationStorage
from state.conversation import Conversation
from tests.chaos.bot import written
from tests.chaos.plan import Sent

#: Columns of a row that must be 0.
FAILURES = ("twice", "lost", "out_of_order", "wrong_screens")


async def verdict(api: BotApi, storage: ConversationStorage, sent: Sent) -> dict[str, Any]:
    """Return how many events took effect once, twice and not at all, and what else is not as promised."""
    once = twice = lost = out_of_order = wrong_screens = surplus = 0
    for user, sources in sent.expected.items():
        key = Conversation.private(api.account.id, user).storage_key()
        took_effect = written(await storage.get_data(key))
        for source, names in sources.items():
            times = Counter(took_effect.get(source, []))
            once += sum(times[name] == 1 for name in names)
            twice += sum(times[name] > 1 for name in names)
            lost += sum(times[name] == 0 for name in names)
            out_of_order += took_effect.get(source, []) != names
        total = sum(map(len, took_effect.values()))
        texts = api.chats[user].texts()
        wrong_screens += texts[-1] != f"{total} events"
        # The token and one content block; more is a message that was sent again after a kill.
        surplus += len(texts) - 2
    return {
        "sent": sent.total,
        "acknowledged": sent.acknowledged,
        "ignored": sent.ignored,
        "once": once,
        "twice": twice,
        "lost": lost,
        "out_of_order": out_of_order,
        "wrong_screens": wrong_screens,
        "messages_twice": surplus,
        "refused": sent.refused,
    }
