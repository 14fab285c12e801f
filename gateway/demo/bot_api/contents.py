"""What a call wants to show: text, media, keyboard."""

from typing import Any
from uuid import uuid4

from gateway.demo.bot_api.chats import Content, Json, Media
from gateway.demo.bot_api.parameters import Parameters
from gateway.demo.bot_api.refusals import Refusal, bad_request
from gateway.demo.bot_api.texts import MAX_CAPTION, MAX_TEXT, plain

_MAX_CALLBACK_DATA_BYTES = 64


def text_content(parameters: Parameters, too_long: str) -> Content:
    """
    The text of a call. *too_long* is what the Bot API says of one beyond the limit: it differs for edits.

    Raises:
        Refusal: empty, too long, or badly formatted.
    """
    source = parameters.text("text")
    if not source:
        raise bad_request("message text is empty")
    parse_mode = parameters.text("parse_mode")
    text = plain(source, parse_mode)
    if not text:
        raise bad_request("text must be non-empty")
    if len(text) > MAX_TEXT:
        raise bad_request(too_long)
    return Content(text=text, formatting=_formatting(parse_mode, source, text))


def caption_of(values: Parameters, too_long: str) -> tuple[str | None, tuple[str, str]]:
    """The caption as shown (None: there is none) and its formatting."""
    source, parse_mode = values.text("caption"), values.text("parse_mode")
    caption = plain(source, parse_mode)
    if len(caption) > MAX_CAPTION:
        raise bad_request(too_long)
    return caption or None, _formatting(parse_mode, source, caption)


def media_content(kind: str, parameters: Parameters) -> Content:
    """
    The file that a call sends as parameter *kind*, with its caption.

    Raises:
        Refusal: there is no file, or its caption is refused.
    """
    caption, formatting = caption_of(parameters, "message caption is too long")
    reference = kind if parameters.file_name(kind) else parameters.text(kind)
    return Content(text=caption, formatting=formatting, media=_media(kind, reference, parameters))


def replacing_media(parameters: Parameters) -> Content:
    """
    The `InputMedia` of editMessageMedia.

    Raises:
        Refusal: it is no medium, or its caption is refused.
    """
    given = parameters.json("media")
    if not isinstance(given, dict) or not given.get("type"):
        raise bad_request('can\'t parse InputMedia: expected an Object with field "type"')
    caption, formatting = caption_of(Parameters(given), "MEDIA_CAPTION_TOO_LONG")
    media = _media(str(given["type"]), str(given.get("media", "")), parameters)
    return Content(text=caption, formatting=formatting, media=media)


def keyboard_of(parameters: Parameters) -> list[list[Json]]:
    """
    The inline keyboard of a call, empty if it has none.

    Raises:
        Refusal: it is not one, or a button's data exceeds 64 bytes.
    """
    markup = parameters.json("reply_markup")
    if markup is None:
        return []
    if not isinstance(markup, dict):
        raise bad_request("object expected as reply markup")
    rows = markup.get("inline_keyboard", [])
    if not isinstance(rows, list) or not all(isinstance(row, list) for row in rows):
        raise bad_request('field "inline_keyboard" of the InlineKeyboardMarkup must be an Array of Arrays')
    return [[_button(button) for button in row] for row in rows if row]


def leaves_editable(parameters: Parameters) -> bool:
    """A message with a keyboard that is not inline can't be edited: https://core.telegram.org/bots/api#editmessagetext"""
    markup = parameters.json("reply_markup")
    return markup is None or "inline_keyboard" in markup


def _formatting(parse_mode: str, source: str, shown: str) -> tuple[str, str]:
    """What was sent, if it says more than what is shown."""
    return ("", "") if source.strip() == shown else (parse_mode, source)


def _button(given: Any) -> Json:
    if not isinstance(given, dict):
        raise bad_request("InlineKeyboardButton must be an Object")
    button = {key: value for key, value in given.items() if value is not None}
    data = button.get("callback_data")
    if data is not None and not 1 <= len(str(data).encode()) <= _MAX_CALLBACK_DATA_BYTES:
        raise bad_request("BUTTON_DATA_INVALID")
    if not button.get("text"):
        raise bad_request("inline keyboard button text must be non-empty")
    return button


def _media(kind: str, reference: str, parameters: Parameters) -> Media:
    """A part of the form, a URL or a file id, all the same to the reader."""
    name = parameters.file_name(reference)
    if name is not None:
        return Media(kind, uuid4().hex, name)
    if not reference or reference.startswith("attach://"):
        raise _no_file(kind)
    return Media(kind, reference)


def _no_file(kind: str) -> Refusal:
    return bad_request(f"there is no {kind} in the request")
