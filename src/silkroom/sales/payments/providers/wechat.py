"""WeChat Pay, version 3 of its protocol: a code to scan at a desk (Native), its app on a phone (H5).

`wechatpayv3` signs, verifies and decrypts; this module is the only one that knows it. It is used with the merchant's
"WeChat Pay public key": platform certificates would have to be fetched, also for a forged notice.
Protocol: pay.weixin.qq.com/doc/v3/merchant.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import json
import zlib
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from typing import Any
from urllib.parse import urlencode, urlsplit
from zoneinfo import ZoneInfo

import requests
from wechatpayv3 import WeChatPay, WeChatPayType

from silkroom.kit.clock import now
from silkroom.kit.errors import Refusal

from ..errors import (
    NoticeForged,
    NoticeMalformed,
    NoticeMerchantDiffers,
    NoticeStale,
    ProviderRefused,
    ProviderUnavailable,
    StatementNotReady,
)
from ..provider import (
    CHINA,
    Charge,
    ChargeFacts,
    ChargeRequest,
    Field,
    KnownCharge,
    NoticeFacts,
    Reply,
    StatementLine,
    wire_key,
)
from ..rules import PAYING_SECONDS
from ..states import ChargeState, Device, LineKind
from . import rsa
from .yuan import to_fen

NAME = "wechat"
TIMEOUT_SECONDS = (5.0, 15.0)
CURRENCY = "CNY"
MOST_SECONDS = 300
"""How old a notice may be; WeChat Pay signs each sending anew."""

ALGORITHM = "WECHATPAY2-SHA256-RSA2048"
LARGEST_STATEMENT = 64 * 1024 * 1024

FIELDS = (
    Field("mchid", r"\d{8,12}", is_merchant=True),
    Field("appid", r"wx[0-9a-f]{16}"),
    Field("cert_serial_no", r"[0-9A-Fa-f]{16,64}"),
    Field("public_key_id", r"PUB_KEY_ID_[0-9A-Za-z]{16,64}"),
    Field("private_key", r"-----BEGIN PRIVATE KEY-----.{300,8000}", is_key=True, is_long=True, check=rsa.private_key),
    Field("public_key", r"-----BEGIN PUBLIC KEY-----.{200,8000}", is_key=True, is_long=True, check=rsa.public_key),
    Field("apiv3_key", r"[0-9A-Za-z]{32}", is_key=True),
)

STATES = {
    "SUCCESS": ChargeState.PAID,
    "REFUND": ChargeState.PAID,
    "NOTPAY": ChargeState.WAITING,
    "USERPAYING": ChargeState.WAITING,
    "ACCEPT": ChargeState.WAITING,
    "CLOSED": ChargeState.CLOSED,
    "REVOKED": ChargeState.CLOSED,
    "PAYERROR": ChargeState.CLOSED,
}
"""``REFUND``: paid, and some of it has gone back."""

ORDER_MISSING = frozenset({"ORDER_NOT_EXIST", "ORDERNOTEXIST", "RESOURCE_NOT_EXISTS"})
STATEMENT_MISSING = frozenset({"NO_STATEMENT_EXIST", "STATEMENT_CREATING"})
UNAVAILABLE = frozenset({"SYSTEM_ERROR", "SYSTEMERROR", "FREQUENCY_LIMITED", "BANK_ERROR", "BANKERROR"})
TAKEN = frozenset({"SUCCESS", "PROCESSING"})
"""A refund that WeChat Pay carries out: some banks take days."""

CHECK_REFERENCE = "silkroomcheck"


class WeChat:
    """See `provider.Provider`."""

    name = NAME
    paying_seconds = PAYING_SECONDS
    is_by_hand = False

    def __init__(
        self,
        *,
        account_id: int,
        mchid: str,
        appid: str,
        cert_serial_no: str,
        public_key_id: str,
        private_key: str,
        public_key: str,
        apiv3_key: str,
        base_url: str = "",
    ) -> None:
        self.account_id = account_id
        self._mchid = mchid
        self._appid = appid
        self._public_key_id = public_key_id
        self._client = WeChatPay(
            wechatpay_type=WeChatPayType.NATIVE,
            mchid=mchid,
            private_key=private_key,
            cert_serial_no=cert_serial_no,
            appid=appid,
            apiv3_key=apiv3_key,
            public_key=public_key,
            public_key_id=public_key_id,
            timeout=TIMEOUT_SECONDS,
        )
        if base_url:
            # The library names no other way to reach a provider's test environment.
            self._client._core._gate_way = base_url

    def create(self, request: ChargeRequest) -> Charge:
        is_phone = request.payer.device == Device.PHONE
        scene: dict[str, Any] = {"payer_client_ip": request.payer.address}
        if is_phone:
            scene["h5_info"] = {"type": "Wap", "app_url": request.payer.site}
        answer = self._call(
            lambda: self._client.pay(
                description=request.subject,
                out_trade_no=request.reference,
                amount={"total": request.amount_minor, "currency": CURRENCY},
                time_expire=request.expires_at.astimezone(ZoneInfo(CHINA)).isoformat(timespec="seconds"),
                scene_info=scene,
                notify_url=request.notify_url,
                pay_type=WeChatPayType.H5 if is_phone else WeChatPayType.NATIVE,
            )
        )
        if is_phone:
            back = urlencode({"redirect_url": request.return_url})
            return Charge(request.reference, page_url=f"{answer['h5_url']}&{back}")
        return Charge(request.reference, page_url="", code=str(answer["code_url"]))

    def read_notice(self, *, headers: Mapping[str, str], body: bytes) -> NoticeFacts | None:
        notice = self._opened(headers, body)
        try:
            if notice["event_type"] != "TRANSACTION.SUCCESS":
                return None
            order = notice["resource"]
            reference = str(order["out_trade_no"])
            if (order["mchid"], order["appid"]) != (self._mchid, self._appid):
                raise NoticeMerchantDiffers(reference=reference)
            return NoticeFacts(
                notice_id=str(notice["id"]),
                reference=reference,
                state=STATES[order["trade_state"]],
                amount_minor=int(order["amount"]["total"]),
                currency=str(order["amount"]["currency"]),
                provider_id=str(order.get("transaction_id", "")),
            )
        except (KeyError, TypeError, ValueError):
            raise NoticeMalformed from None

    def _opened(self, headers: Mapping[str, str], body: bytes) -> dict[str, Any]:
        """Verified, then decrypted. Raises NoticeForged, NoticeStale, NoticeMalformed."""
        moment = headers.get("Wechatpay-Timestamp", "")
        if headers.get("Wechatpay-Serial", "") != self._public_key_id or not _is_moment(moment):
            raise NoticeForged
        # The documents name these; the library wants the algorithm too, which some senders leave out.
        needed = {name: headers.get(f"Wechatpay-{name}", "") for name in ("Serial", "Signature", "Timestamp", "Nonce")}
        marked = {f"Wechatpay-{name}": value for name, value in needed.items()} | {
            "Wechatpay-Signature-Type": ALGORITHM
        }
        try:
            notice = self._client.callback(marked, body.decode())
        except UnicodeDecodeError:
            raise NoticeForged from None
        except Exception:
            # The signature fits, and what was signed cannot be taken apart: the library raises whatever comes.
            raise NoticeMalformed from None
        if not notice:
            # Another signature, or encrypted with another merchant's key.
            raise NoticeForged
        if abs(now().timestamp() - int(moment)) > MOST_SECONDS:
            raise NoticeStale(most_seconds=MOST_SECONDS)
        return dict(notice)

    def reply(self, refusal: Refusal | None) -> Reply:
        """204 ends the repetitions; anything else says why not, in WeChat Pay's form."""
        if refusal is None:
            return Reply(204)
        body = json.dumps({"code": "FAIL", "message": refusal.code}).encode()
        return Reply(refusal.status, body, "application/json")

    def query(self, charge: KnownCharge) -> ChargeFacts | None:
        try:
            order = self._call(lambda: self._client.query(out_trade_no=charge.reference))
        except ProviderRefused as refusal:
            if refusal.data["reason"] in ORDER_MISSING:
                return None
            raise
        try:
            # An order that was never paid tells no amount.
            amount = order.get("amount") or {"total": charge.amount_minor, "currency": charge.currency}
            state = STATES[order["trade_state"]]
            return ChargeFacts(charge.reference, state, int(amount["total"]), str(amount["currency"]))
        except (KeyError, TypeError, ValueError):
            raise ProviderUnavailable(provider=NAME) from None

    def close(self, charge: KnownCharge) -> ChargeFacts | None:
        try:
            self._call(lambda: self._client.close(out_trade_no=charge.reference))
        except ProviderRefused as refusal:
            if refusal.data["reason"] in ORDER_MISSING:
                return None
        return self.query(charge)

    def refund(self, charge: KnownCharge, *, amount_minor: int, key: str) -> None:
        answer = self._call(
            lambda: self._client.refund(
                out_refund_no=wire_key(key),
                out_trade_no=charge.reference,
                amount={"refund": amount_minor, "total": charge.amount_minor, "currency": CURRENCY},
            )
        )
        if answer.get("status") not in TAKEN:
            raise ProviderRefused(provider=NAME, reason=str(answer.get("status")))

    def statement(self, day: date) -> list[StatementLine]:
        try:
            told = self._call(lambda: self._client.trade_bill(bill_date=day.isoformat()))
        except ProviderRefused as refusal:
            if refusal.data["reason"] in STATEMENT_MISSING:
                raise StatementNotReady(provider=NAME) from None
            raise
        packed = self._download(str(told["download_url"]))
        try:
            with gzip.GzipFile(fileobj=io.BytesIO(packed)) as unpacked:
                text = unpacked.read(LARGEST_STATEMENT)
            # SHA-1 is what WeChat Pay writes; the line itself is private.
            if hashlib.sha1(text, usedforsecurity=False).hexdigest() != told["hash_value"]:
                raise ProviderUnavailable(provider=NAME)
            return list(_rows(text.decode("utf-8-sig")))
        except (OSError, EOFError, zlib.error, ValueError, KeyError):
            raise ProviderUnavailable(provider=NAME) from None

    def _download(self, url: str) -> bytes:
        """A statement is fetched with a signature of its own, at the gateway that told its address."""
        path = f"{urlsplit(url).path}?{urlsplit(url).query}"
        try:
            status, content = self._client.download_bill(path)
        except requests.RequestException:
            raise ProviderUnavailable(provider=NAME) from None
        if status != 200 or not isinstance(content, bytes):
            raise ProviderUnavailable(provider=NAME)
        return content

    def check(self) -> None:
        """Asks for an order that nobody has: proves the merchant, its certificate and its private key."""
        self.query(KnownCharge(CHECK_REFERENCE, 1, CURRENCY))

    def _call(self, act: Callable[[], tuple[int, Any]]) -> dict[str, Any]:
        """The verified answer. Raises ProviderUnavailable, ProviderRefused."""
        try:
            status, body = act()
        except requests.RequestException:
            raise ProviderUnavailable(provider=NAME) from None
        except Exception:
            # The library raises a bare Exception, and others, for an answer whose signature does not fit.
            raise ProviderRefused(provider=NAME, reason="answer_not_signed") from None
        try:
            answer = dict(json.loads(body)) if body else {}
        except ValueError:
            answer = {}
        if 200 <= status < 300:
            return answer
        code = str(answer.get("code", ""))
        if status >= 500 or status == 429 or code in UNAVAILABLE or not code:
            raise ProviderUnavailable(provider=NAME)
        raise ProviderRefused(provider=NAME, reason=code)


def _is_moment(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= 12


REFERENCE, NUMBER, STATE, AMOUNT = "商户订单号", "微信订单号", "交易状态", "订单金额"
REFUND_KEY, REFUND_NUMBER, REFUND_AMOUNT = "商户退款单号", "微信退款单号", "退款金额"
APPLIED_AMOUNT = "申请退款金额"


def _rows(text: str) -> Iterator[StatementLine]:
    """Columns, then movements with ` before each value, then columns and values of the sum."""
    table = csv.reader(io.StringIO(text))
    columns = next(table, [])
    for row in table:
        if not row or not row[0].startswith("`"):
            return
        values = dict(zip(columns, (cell.removeprefix("`").strip() for cell in row), strict=False))
        if values[STATE] == "SUCCESS":
            yield StatementLine(
                LineKind.PAYMENT, values[REFERENCE], "", to_fen(values[AMOUNT]), CURRENCY, values[NUMBER]
            )
        elif values[STATE] == "REFUND":
            amount = to_fen(values.get(APPLIED_AMOUNT) or values[REFUND_AMOUNT])
            yield StatementLine(
                LineKind.REFUND, values[REFERENCE], values[REFUND_KEY], amount, CURRENCY, values[REFUND_NUMBER]
            )
