"""The methods on payments: https://core.telegram.org/bots/api#payments"""

from uuid import uuid4

from gateway.demo.bot_api.account import Account
from gateway.demo.bot_api.chats import Content, Invoice, Json
from gateway.demo.bot_api.contents import keyboard_of
from gateway.demo.bot_api.messages import post
from gateway.demo.bot_api.parameters import Parameters
from gateway.demo.bot_api.queries import QueryKind
from gateway.demo.bot_api.refusals import bad_request

_STARS = "XTR"
_MAX_PAYLOAD_BYTES = 128


def send_invoice(account: Account, parameters: Parameters) -> Json:
    """Send an invoice with its Pay button."""
    invoice = _invoice(parameters)
    pay = [[{"text": "Pay", "pay": True}]]
    sent = post(account, parameters, Content(invoice=invoice), keyboard_of(parameters) or pay)
    account.invoices[invoice.payload] = invoice
    return sent


def create_invoice_link(account: Account, parameters: Parameters) -> str:
    """Make an invoice that lies in no chat."""
    invoice = _invoice(parameters)
    account.invoices[invoice.payload] = invoice
    return f"https://t.me/${uuid4().hex}"


def answer_pre_checkout_query(account: Account, parameters: Parameters) -> bool:
    """Let a payment go on, or say why not."""
    return _answer(account, parameters, QueryKind.PRE_CHECKOUT)


def answer_shipping_query(account: Account, parameters: Parameters) -> bool:
    """Offer ways of shipping, or say why not."""
    if parameters.flag("ok") and not parameters.json("shipping_options"):
        raise bad_request("there must be at least one shipping option")
    return _answer(account, parameters, QueryKind.SHIPPING)


def refund_star_payment(account: Account, parameters: Parameters) -> bool:
    """Give Stars back, once."""
    charge_id = parameters.required("telegram_payment_charge_id")
    user_id, refunded = account.charges.get(charge_id, (None, False))
    if user_id is None or user_id != parameters.integer("user_id"):
        raise bad_request("CHARGE_NOT_FOUND")
    if refunded:
        raise bad_request("CHARGE_ALREADY_REFUNDED")
    account.charges[charge_id] = (user_id, True)
    return True


def _answer(account: Account, parameters: Parameters, kind: QueryKind) -> bool:
    ok = parameters.flag("ok")
    answer = {"ok": ok, "error_message": None if ok else parameters.required("error_message")}
    query_id = parameters.text(f"{kind.value}_query_id")
    account.queries.answer(query_id, kind, answer, account.clock.now())
    return True


def _invoice(parameters: Parameters) -> Invoice:
    title = parameters.required("title")
    description = parameters.required("description")
    payload = parameters.required("payload")
    currency = parameters.required("currency")
    parameters.required("prices")
    prices = parameters.json("prices")
    if len(payload.encode()) > _MAX_PAYLOAD_BYTES:
        raise bad_request("INVOICE_PAYLOAD_INVALID")
    if not isinstance(prices, list) or not prices:
        raise bad_request("there must be at least one price")
    if currency == _STARS and len(prices) != 1:
        raise bad_request("STARS_INVOICE_INVALID")
    if currency != _STARS and not parameters.text("provider_token"):
        raise bad_request("PAYMENT_PROVIDER_INVALID")
    try:
        total_amount = sum(int(price["amount"]) for price in prices)
    except (KeyError, TypeError, ValueError) as error:
        raise bad_request("LabeledPrice must be an Object") from error
    return Invoice(title, description, payload, currency, total_amount)
