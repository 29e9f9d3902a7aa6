"""Alipay: its page at a desk, its app on a phone.

The official library is 36,604 files; this speaks the same documented protocol (opendocs.alipay.com: common parameters,
RSA2 signatures over sorted parameters, alipay.trade.*) with `cryptography`.
"""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import date, datetime
from typing import Any
from urllib.parse import parse_qsl, urlencode
from zoneinfo import ZoneInfo

import requests

from silkroom.kit.clock import now
from silkroom.kit.errors import Refusal

from ..errors import (
    NoticeForged,
    NoticeMalformed,
    NoticeMerchantDiffers,
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
from .yuan import to_fen, to_yuan

NAME = "alipay"
GATEWAY = "https://openapi.alipay.com/gateway.do"
TIMEOUT_SECONDS = (5.0, 15.0)
CURRENCY = "CNY"

LARGEST_STATEMENT = 64 * 1024 * 1024
"""Bytes of a statement, packed and unpacked: a million movements."""

FIELDS = (
    Field("app_id", r"\d{16,20}", is_merchant=True),
    Field("seller_id", r"(2088\d{12})?"),
    Field("private_key", r".{300,8000}", is_key=True, is_long=True, check=rsa.private_key),
    Field("alipay_public_key", r".{200,8000}", is_key=True, is_long=True, check=rsa.public_key),
)

STATES = {
    "WAIT_BUYER_PAY": ChargeState.WAITING,
    "TRADE_SUCCESS": ChargeState.PAID,
    "TRADE_FINISHED": ChargeState.PAID,
    "TRADE_CLOSED": ChargeState.CLOSED,
}

DONE = "10000"
UNAVAILABLE_CODES = frozenset({"20000", "10003"})
UNAVAILABLE_SUB_CODES = frozenset({"ACQ.SYSTEM_ERROR", "isp.unknow-error", "aop.ACQ.SYSTEM_ERROR"})
NO_TRADE = "ACQ.TRADE_NOT_EXIST"
NO_STATEMENT = "bill_not_exist"

CHECK_REFERENCE = "silkroom-check"
"""A trade that nobody has: asking for it proves app, keys and signatures on both sides."""


class Alipay:
    """See `provider.Provider`."""

    name = NAME
    paying_seconds = PAYING_SECONDS
    is_by_hand = False

    def __init__(
        self,
        *,
        account_id: int,
        app_id: str,
        private_key: str,
        alipay_public_key: str,
        seller_id: str = "",
        base_url: str = "",
    ) -> None:
        self.account_id = account_id
        self._app_id = app_id
        self._seller_id = seller_id
        self._key = rsa.private_key(private_key)
        self._their_key = rsa.public_key(alipay_public_key)
        self._gateway = base_url or GATEWAY

    def create(self, request: ChargeRequest) -> Charge:
        is_phone = request.payer.device == Device.PHONE
        content = {
            "out_trade_no": request.reference,
            "total_amount": to_yuan(request.amount_minor),
            "subject": request.subject,
            "product_code": "QUICK_WAP_WAY" if is_phone else "FAST_INSTANT_TRADE_PAY",
            "time_expire": _china(request.expires_at),
        }
        if is_phone:
            content["quit_url"] = request.return_url
        method = "alipay.trade.wap.pay" if is_phone else "alipay.trade.page.pay"
        signed = self._signed(method, content, notify_url=request.notify_url, return_url=request.return_url)
        # No call: the buyer's browser brings the signed request to Alipay.
        return Charge(request.reference, page_url=f"{self._gateway}?{urlencode(signed)}")

    def read_notice(self, *, headers: Mapping[str, str], body: bytes) -> NoticeFacts | None:
        try:
            pairs = parse_qsl(body.decode(), keep_blank_values=True, strict_parsing=True, errors="strict")
        except ValueError:
            raise NoticeForged from None
        fields = dict(pairs)
        signature, kind = fields.get("sign", ""), fields.get("sign_type", "")
        signed = {name: value for name, value in fields.items() if name not in ("sign", "sign_type")}
        if (
            len(fields) != len(pairs)
            or kind != "RSA2"
            or not rsa.is_signed(self._their_key, _joined(signed), signature)
        ):
            raise NoticeForged
        if "out_trade_no" not in fields:
            return None
        reference = fields["out_trade_no"]
        if fields.get("app_id") != self._app_id or fields.get("seller_id", "") not in self._sellers(fields):
            raise NoticeMerchantDiffers(reference=reference)
        try:
            state, amount = STATES[fields["trade_status"]], to_fen(fields["total_amount"])
            notice_id = fields["notify_id"]
        except (KeyError, ValueError):
            raise NoticeMalformed from None
        if state == ChargeState.CLOSED and fields.get("gmt_refund"):
            state = ChargeState.REFUNDED
        return NoticeFacts(notice_id, reference, state, amount, CURRENCY, provider_id=fields.get("trade_no", ""))

    def _sellers(self, fields: Mapping[str, str]) -> tuple[str, ...]:
        """Whose money a notice may be about; any seller of this app, if the owner named none."""
        return (self._seller_id,) if self._seller_id else (fields.get("seller_id", ""),)

    def reply(self, refusal: Refusal | None) -> Reply:
        """Alipay repeats a notice until it reads these seven letters and nothing else."""
        return Reply(200, b"success") if refusal is None else Reply(refusal.status, b"fail")

    def query(self, charge: KnownCharge) -> ChargeFacts | None:
        try:
            answer = self._call("alipay.trade.query", {"out_trade_no": charge.reference})
            state = STATES[answer["trade_status"]]
            return ChargeFacts(charge.reference, state, to_fen(answer["total_amount"]), CURRENCY)
        except ProviderRefused as refusal:
            if refusal.data["reason"] == NO_TRADE:
                return None
            raise
        except (KeyError, ValueError):
            raise ProviderUnavailable(provider=NAME) from None

    def close(self, charge: KnownCharge) -> ChargeFacts | None:
        with suppress(ProviderRefused):
            # Refused: never opened by the buyer, paid, or closed before. Asking tells which.
            self._call("alipay.trade.close", {"out_trade_no": charge.reference})
        return self.query(charge)

    def refund(self, charge: KnownCharge, *, amount_minor: int, key: str) -> None:
        which = {"out_trade_no": charge.reference, "out_request_no": wire_key(key)}
        answer = self._call("alipay.trade.refund", which | {"refund_amount": to_yuan(amount_minor)})
        if answer.get("fund_change") == "Y":
            return
        # No money moved by this very call: it has by an earlier one, or not at all.
        made = self._call("alipay.trade.fastpay.refund.query", which)
        if made.get("refund_status") != "REFUND_SUCCESS":
            raise ProviderRefused(provider=NAME, reason="refund_not_made")

    def statement(self, day: date) -> list[StatementLine]:
        try:
            answer = self._call(
                "alipay.data.dataservice.bill.downloadurl.query",
                {"bill_type": "trade", "bill_date": day.isoformat()},
            )
        except ProviderRefused as refusal:
            if NO_STATEMENT in str(refusal.data["reason"]).lower():
                raise StatementNotReady(provider=NAME) from None
            raise
        return list(_lines(self._download(str(answer["bill_download_url"]))))

    def check(self) -> None:
        self.query(KnownCharge(CHECK_REFERENCE, 1, CURRENCY))

    def _signed(self, method: str, content: Mapping[str, str], **more: str) -> dict[str, str]:
        fields = {
            "app_id": self._app_id,
            "method": method,
            "format": "JSON",
            "charset": "utf-8",
            "sign_type": "RSA2",
            "timestamp": _china(now()),
            "version": "1.0",
            "biz_content": json.dumps(content, ensure_ascii=False, separators=(",", ":")),
            **{name: value for name, value in more.items() if value},
        }
        return fields | {"sign": rsa.sign(self._key, _joined(fields))}

    def _call(self, method: str, content: Mapping[str, str]) -> dict[str, Any]:
        """The verified answer. Raises ProviderUnavailable, ProviderRefused."""
        fields = self._signed(method, content)
        try:
            response = requests.post(
                self._gateway, params={"charset": "utf-8"}, data=fields, timeout=TIMEOUT_SECONDS, allow_redirects=False
            )
        except requests.RequestException:
            raise ProviderUnavailable(provider=NAME) from None
        if response.status_code != 200:
            raise ProviderUnavailable(provider=NAME)
        return self._verified(method, response.content)

    def _verified(self, method: str, body: bytes) -> dict[str, Any]:
        """The signature is over the very letters of the inner object."""
        name = f"{method.replace('.', '_')}_response"
        try:
            text = body.decode()
            whole = json.loads(text)
            answer = whole[name] if name in whole else whole["error_response"]
            start = text.index(":", text.index(f'"{name}"')) + 1 if name in whole else 0
            raw = text[start : json.JSONDecoder().raw_decode(text, _skip_spaces(text, start))[1]].strip()
            code, reason = str(answer["code"]), str(answer.get("sub_code") or answer["code"])
        except (ValueError, KeyError, TypeError, AttributeError):
            raise ProviderUnavailable(provider=NAME) from None
        is_true = rsa.is_signed(self._their_key, raw.encode(), str(whole.get("sign", "")))
        # Alipay signs no answer to a request whose sender it does not know; such an answer is a refusal.
        if not is_true and (code == DONE or reason == NO_TRADE):
            raise ProviderRefused(provider=NAME, reason="answer_not_signed")
        if code in UNAVAILABLE_CODES or reason in UNAVAILABLE_SUB_CODES:
            raise ProviderUnavailable(provider=NAME)
        if code != DONE:
            raise ProviderRefused(provider=NAME, reason=reason)
        return dict(answer)

    def _download(self, url: str) -> bytes:
        try:
            with requests.get(url, timeout=TIMEOUT_SECONDS, stream=True) as response:
                response.raise_for_status()
                return bytes(response.raw.read(LARGEST_STATEMENT, decode_content=True))
        except requests.RequestException:
            raise ProviderUnavailable(provider=NAME) from None


def _joined(fields: Mapping[str, str]) -> bytes:
    """What is signed: all parameters in the order of their names, values as they are."""
    return "&".join(f"{name}={fields[name]}" for name in sorted(fields)).encode()


def _skip_spaces(text: str, start: int) -> int:
    return start + len(text[start:]) - len(text[start:].lstrip())


def _china(moment: datetime) -> str:
    return moment.astimezone(ZoneInfo(CHINA)).strftime("%Y-%m-%d %H:%M:%S")


REFERENCE, KEY, AMOUNT, KIND, NUMBER = "商户订单号", "退款批次号/请求号", "订单金额(元)", "业务类型", "支付宝交易号"
KINDS = {"交易": LineKind.PAYMENT, "退款": LineKind.REFUND}


def _lines(packed: bytes) -> Iterator[StatementLine]:
    """A ZIP of two tables in GBK; the one with a line for each movement begins, after notes, with its column names.

    Raises ProviderUnavailable when it is something else.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(packed)) as archive:
            for one in archive.infolist():
                if one.file_size <= LARGEST_STATEMENT:
                    yield from _rows(archive.read(one).decode("gb18030"))
    except (zipfile.BadZipFile, ValueError, KeyError):
        raise ProviderUnavailable(provider=NAME) from None


def _rows(text: str) -> Iterator[StatementLine]:
    columns: list[str] = []
    for row in csv.reader(io.StringIO(text)):
        cells = [cell.strip() for cell in row]
        if not cells or cells[0].startswith("#"):
            continue
        if not columns:
            columns = [cell.replace("（", "(").replace("）", ")") for cell in cells]
            if columns[0] != NUMBER:
                return
            continue
        values = dict(zip(columns, cells, strict=False))
        kind = KINDS.get(values[KIND])
        if kind is not None:
            key = values[KEY] if kind == LineKind.REFUND else ""
            yield StatementLine(kind, values[REFERENCE], key, abs(to_fen(values[AMOUNT])), CURRENCY, values[NUMBER])
