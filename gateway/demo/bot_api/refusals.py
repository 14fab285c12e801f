"""
The refusals of the Bot API, word for word.

Sources: https://github.com/tdlib/telegram-bot-api (Client.cpp: fail_query_with_error, check_chat_access,
check_message) and https://github.com/tdlib/td (MessagesManager.cpp: delete_messages, edit_message_text).
"""

from collections.abc import Mapping
from http import HTTPStatus


class Refusal(Exception):
    """The Bot API answers `ok: false` with this code, description and parameters."""

    def __init__(
        self, code: HTTPStatus, description: str, parameters: Mapping[str, int] | None = None
    ) -> None:
        super().__init__(description)
        self.code = code
        self.description = description
        self.parameters = dict(parameters or {})

    def as_json(self) -> dict[str, object]:
        """The body of the answer."""
        body: dict[str, object] = {
            "ok": False,
            "error_code": int(self.code),
            "description": self.description,
        }
        if self.parameters:
            body["parameters"] = self.parameters
        return body


def bad_request(text: str) -> Refusal:
    """400: the call is wrong."""
    return Refusal(HTTPStatus.BAD_REQUEST, f"Bad Request: {text}")


def forbidden(text: str) -> Refusal:
    """403: the user, or the group, does not want it."""
    return Refusal(HTTPStatus.FORBIDDEN, f"Forbidden: {text}")


def too_many_requests(retry_after_seconds: int) -> Refusal:
    """429: not before *retry_after_seconds* have passed."""
    return Refusal(
        HTTPStatus.TOO_MANY_REQUESTS,
        f"Too Many Requests: retry after {retry_after_seconds}",
        {"retry_after": retry_after_seconds},
    )


def upgraded(migrate_to_chat_id: int) -> Refusal:
    """400: the group lives on under another id."""
    return Refusal(
        HTTPStatus.BAD_REQUEST,
        "Bad Request: group chat was upgraded to a supergroup chat",
        {"migrate_to_chat_id": migrate_to_chat_id},
    )


def unauthorized() -> Refusal:
    """401: no bot has this token."""
    return Refusal(HTTPStatus.UNAUTHORIZED, "Unauthorized")


def unknown_method() -> Refusal:
    """404: there is no such method."""
    return Refusal(HTTPStatus.NOT_FOUND, "Not Found")


def webhook_is_active() -> Refusal:
    """409: updates go to the webhook, or to getUpdates, never to both."""
    return Refusal(
        HTTPStatus.CONFLICT,
        "Conflict: can't use getUpdates method while webhook is active; "
        "use deleteWebhook to delete the webhook first",
    )


NOT_MODIFIED = (
    "message is not modified: specified new message content and reply markup are exactly the same "
    "as a current content and reply markup of the message"
)
QUERY_TOO_OLD = "query is too old and response timeout expired or query ID is invalid"
