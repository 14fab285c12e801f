"""What to type to play on by hand; `gateway demo --serve` prints it."""

from datetime import UTC, datetime
from string import Template

from gateway.demo.stage import USER_ID, Stage
from routers.provider import Example
from routers.registry import providers

_TEXT = Template("""
gateway   $gateway
chat      $chat   (as the user sees it)
secrets   telegram $telegram   stripe $stripe   calcom $calcom

The user stands before a payment once more. This pays it twice, signed as Stripe signs:

python3 - <<'EOF'
import hmac, re, time
from urllib.request import Request, urlopen

chat = urlopen("$chat").read().decode()
token = re.search(r"client_reference_id=(\\w+)", chat)[1]
body = r'''$body'''.replace("TOKEN", token)
at = int(time.time())
v1 = hmac.new(b"$stripe", f"{at}.{body}".encode(), "sha256").hexdigest()
headers = {"Stripe-Signature": f"t={at},v1={v1}", "Content-Type": "application/json"}
for _ in range(2):
    print(urlopen(Request("$gateway/webhooks/stripe", body.encode(), headers)).read().decode())
EOF

The user writes /profile: the stand-in makes the update, and this delivers it:

curl -s $bot_api/_control/updates -d '{"deed": "message", "chat_id": $user, "text": "/profile"}' |
  curl -s $gateway/telegram/$bot -H 'X-Telegram-Bot-Api-Secret-Token: $telegram' -d @-

Ctrl-C ends it.""")


def facts(stage: Stage) -> dict[str, str]:
    """Return the addresses and secrets of *stage*."""
    return {
        "gateway": stage.url,
        "bot_api": stage.api.url,
        "bot": str(stage.api.account.id),
        "user": str(USER_ID),
        "chat": f"{stage.api.url}/_control/chats/{USER_ID}",
        "telegram": stage.secrets.telegram,
        "stripe": stage.secrets.stripe,
        "calcom": stage.secrets.calcom,
    }


def by_hand(stage: Stage) -> str:
    """Return a genuine call of Stripe and of Telegram, to be pasted into a shell."""
    # The ids are the token's own, so that each booking is paid by an event of its own.
    example = Example("TOKEN", datetime.now(UTC), 3850, object_id="pi_TOKEN", event_id="evt_TOKEN")
    body = providers()["stripe"].examples["payment_intent.succeeded"](example)
    return _TEXT.substitute(facts(stage), body=body.decode())
