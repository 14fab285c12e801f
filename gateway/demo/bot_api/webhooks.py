"""The methods on getting updates."""

import re
from typing import Any
from urllib.parse import urlsplit

from gateway.demo.bot_api.account import Account, Webhook
from gateway.demo.bot_api.parameters import Parameters
from gateway.demo.bot_api.refusals import bad_request, too_many_requests, webhook_is_active

_SECRET_TOKEN = re.compile(r"[A-Za-z0-9_-]*")
_MAX_SECRET_TOKEN = 256
_MAX_UPDATES = 100


class Noted(str):
    """The description that accompanies the result `true`."""

    __slots__ = ()


def set_webhook(account: Account, parameters: Parameters) -> Noted:
    """
    At most one call a second and bot; an identical webhook is left as it is, its pending updates too.

    Source: https://github.com/tdlib/telegram-bot-api (Client.cpp, process_set_webhook_query). Like a Bot API
    server in local mode it takes any http URL.
    """
    url = parameters.text("url")
    if not url:
        return delete_webhook(account, parameters)
    now = account.clock.now()
    if now < account.next_set_webhook_at:
        raise too_many_requests(1)
    account.next_set_webhook_at = now + 1
    webhook = _webhook(url, parameters)
    if "allowed_updates" in parameters:
        account.allowed_updates = parameters.json("allowed_updates") or []
    dropped = _drop_pending(account, parameters)
    if webhook == account.webhook and not dropped:
        return Noted("Webhook is already set")
    account.webhook = webhook
    return Noted("Webhook was set")


def delete_webhook(account: Account, parameters: Parameters) -> Noted:
    """Send the bot no more updates."""
    _drop_pending(account, parameters)
    if account.webhook is None:
        return Noted("Webhook is already deleted")
    account.webhook = None
    return Noted("Webhook was deleted")


def get_webhook_info(account: Account, _: Parameters) -> dict[str, Any]:
    """Tell the bot what it set, but not its secret."""
    webhook = account.webhook
    info: dict[str, Any] = {
        "url": webhook.url if webhook else "",
        "has_custom_certificate": False,
        "pending_update_count": len(account.updates),
    }
    if webhook is not None:
        info["max_connections"] = webhook.max_connections
        if webhook.ip_address:
            info["ip_address"] = webhook.ip_address
    if account.allowed_updates:
        info["allowed_updates"] = account.allowed_updates
    return info


def get_updates(account: Account, parameters: Parameters) -> list[dict[str, Any]]:
    """What is there now: this server does not wait, whatever the timeout."""
    if account.webhook is not None:
        raise webhook_is_active()
    offset = parameters.integer("offset") or 0
    limit = min(max(parameters.integer("limit") or _MAX_UPDATES, 1), _MAX_UPDATES)
    if offset < 0:
        account.updates[:] = account.updates[offset:]
    else:
        account.updates[:] = [update for update in account.updates if update["update_id"] >= offset]
    return account.updates[:limit]


def _webhook(url: str, parameters: Parameters) -> Webhook:
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise bad_request("invalid webhook URL specified")
    secret_token = parameters.text("secret_token")
    if len(secret_token) > _MAX_SECRET_TOKEN:
        raise bad_request("secret token is too long")
    if not _SECRET_TOKEN.fullmatch(secret_token):
        raise bad_request("secret token contains unallowed characters")
    most = min(max(parameters.integer("max_connections") or 40, 1), 100)
    return Webhook(url, secret_token, most, parameters.text("ip_address"))


def _drop_pending(account: Account, parameters: Parameters) -> bool:
    if not parameters.flag("drop_pending_updates"):
        return False
    account.updates.clear()
    return True
