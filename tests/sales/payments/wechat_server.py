"""WeChat Pay on this machine: signed requests and answers, encrypted notices, statements."""

from __future__ import annotations

import base64
import gzip
import hashlib
import itertools
import json
import re
import time
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from .keys import check_signed, private_pem, public_pem, signed
from .loopback import Answer, Asked, LoopbackProvider

MCHID, APPID = "1900000109", "wxd678efh567abc012".replace("h", "a")
SERIAL, KEY_ID = "444F4864EA9B34415A3E4D1F4C9B5E7A", "PUB_KEY_ID_0119000001092024101100397200000006"
APIV3_KEY = "SilkHouseSilkHouseSilkHouse12345"
VALUES = {
    "mchid": MCHID,
    "appid": APPID,
    "cert_serial_no": SERIAL,
    "public_key_id": KEY_ID,
    "private_key": private_pem("merchant"),
    "public_key": public_pem("wechat"),
    "apiv3_key": APIV3_KEY,
}


class WeChatServer(LoopbackProvider):
    """Knows one merchant."""

    def __init__(self) -> None:
        super().__init__()
        self.orders: dict[str, dict[str, Any]] = {}
        self.refunds: dict[str, dict[str, Any]] = {}
        self.refund_status = "PROCESSING"
        self.statement: str | None = None
        self.forges = False
        self._numbers = itertools.count(1)

    def answer(self, asked: Asked) -> Answer:
        try:
            self._check(asked)
        except (InvalidSignature, AssertionError, AttributeError):
            return self._signed(401, {"code": "SIGN_ERROR", "message": "签名错误"})
        match (asked.method, asked.url.path.split("/")[2:]):
            case ("POST", ["pay", "transactions", "native" | "h5" as kind]):
                return self._create(kind, json.loads(asked.body))
            case ("GET", ["pay", "transactions", "out-trade-no", number]):
                assert parse_qs(asked.url.query) == {"mchid": [MCHID]}
                return self._signed(200, self.orders[number]) if number in self.orders else self._missing()
            case ("POST", ["pay", "transactions", "out-trade-no", number, "close"]):
                return self._close(number)
            case ("POST", ["refund", "domestic", "refunds"]):
                return self._refund(json.loads(asked.body))
            case ("GET", ["bill", "tradebill"]):
                return self._bill(parse_qs(asked.url.query))
            case ("GET", ["billdownload", "file"]):
                return Answer(200, gzip.compress((self.statement or "").encode()), {"Content-Type": "text/plain"})
        return self._missing()

    def _check(self, asked: Asked) -> None:
        """WECHATPAY2-SHA256-RSA2048 over method, target, moment, number and body."""
        kind, _, rest = asked.headers["Authorization"].partition(" ")
        given = dict(re.findall(r'(\w+)="([^"]*)"', rest))
        assert (kind, given["mchid"], given["serial_no"]) == ("WECHATPAY2-SHA256-RSA2048", MCHID, SERIAL)
        assert asked.headers["Wechatpay-Serial"] == KEY_ID
        message = "\n".join(
            [asked.method, asked.target, given["timestamp"], given["nonce_str"], asked.body.decode(), ""]
        )
        check_signed("merchant", message.encode(), given["signature"])

    def _signed(self, status: int, body: Any) -> Answer:
        raw = b"" if body is None else json.dumps(body, ensure_ascii=False).encode()
        headers = sign_headers(raw, key="forger" if self.forges else "wechat")
        return Answer(status, raw, {"Content-Type": "application/json; charset=utf-8", **headers})

    def _create(self, kind: str, asked: dict[str, Any]) -> Answer:
        assert (asked["mchid"], asked["appid"]) == (MCHID, APPID)
        number = asked["out_trade_no"]
        if number in self.orders:
            return self._signed(400, {"code": "OUT_TRADE_NO_USED", "message": "商户订单号重复"})
        self.orders[number] = {"appid": APPID, "mchid": MCHID, "out_trade_no": number, "trade_state": "NOTPAY"}
        self.asked_orders = {**getattr(self, "asked_orders", {}), number: asked | {"kind": kind}}
        if kind == "h5":
            return self._signed(
                200, {"h5_url": "https://wx.tenpay.com/cgi-bin/mmpayweb-bin/checkmweb?prepay_id=wx1&package=2"}
            )
        return self._signed(200, {"code_url": f"weixin://wxpay/bizpayurl?pr={number[:8]}"})

    def _close(self, number: str) -> Answer:
        order = self.orders.get(number)
        if order is None:
            return self._missing()
        if order["trade_state"] != "NOTPAY":
            return self._signed(400, {"code": "ORDER_PAID", "message": "该订单已支付"})
        order["trade_state"] = "CLOSED"
        return self._signed(204, None)

    def _refund(self, asked: dict[str, Any]) -> Answer:
        number, total = asked["out_trade_no"], self.asked_orders[asked["out_trade_no"]]["amount"]["total"]
        key = asked["out_refund_no"]
        assert re.fullmatch(r"[0-9A-Za-z_\-|*@]{1,64}", key)
        assert (asked["amount"]["total"], asked["amount"]["currency"]) == (total, "CNY")
        if key not in self.refunds:
            back = sum(one["amount"]["refund"] for one in self.refunds.values() if one["out_trade_no"] == number)
            if back + asked["amount"]["refund"] > total:
                return self._signed(403, {"code": "NOT_ENOUGH", "message": "可用余额不足"})
            self.refunds[key] = {**asked, "status": self.refund_status}
        return self._signed(200, self.refunds[key])

    def _bill(self, query: dict[str, list[str]]) -> Answer:
        if self.statement is None:
            return self._signed(400, {"code": "NO_STATEMENT_EXIST", "message": "账单不存在"})
        digest = hashlib.sha1(self.statement.encode(), usedforsecurity=False).hexdigest()
        url = f"{self.base_url}/v3/billdownload/file?token={query['bill_date'][0]}"
        return self._signed(200, {"hash_type": "SHA1", "hash_value": digest, "download_url": url})

    def _missing(self) -> Answer:
        return self._signed(404, {"code": "ORDER_NOT_EXIST", "message": "订单不存在"})

    # ---- what happens in the buyer's app ----

    def buyer_pays(self, number: str) -> None:
        asked = self.asked_orders[number]
        self.orders[number] |= {
            "trade_state": "SUCCESS",
            "transaction_id": f"42000{next(self._numbers):023d}",
            "trade_type": asked["kind"].upper(),
            "success_time": datetime.now().astimezone().isoformat(timespec="seconds"),
            "amount": {"total": asked["amount"]["total"], "payer_total": 1, "currency": "CNY", "payer_currency": "CNY"},
            "payer": {"openid": "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"},
        }

    def notice(
        self, number: str, *, kind: str = "TRANSACTION.SUCCESS", apiv3_key: str = APIV3_KEY, **changes: Any
    ) -> bytes:
        plain = json.dumps({**self.orders[number], **changes}, ensure_ascii=False).encode()
        sealed = AESGCM(apiv3_key.encode()).encrypt(b"0123456789ab", plain, b"transaction")
        return json.dumps(
            {
                "id": f"EV-{next(self._numbers)}",
                "create_time": "2026-11-24T20:00:00+08:00",
                "resource_type": "encrypt-resource",
                "event_type": kind,
                "summary": "支付成功",
                "resource": {
                    "original_type": "transaction",
                    "algorithm": "AEAD_AES_256_GCM",
                    "ciphertext": base64.b64encode(sealed).decode(),
                    "associated_data": "transaction",
                    "nonce": "0123456789ab",
                },
            },
            ensure_ascii=False,
        ).encode()


def sign_headers(
    body: bytes, *, key: str = "wechat", moment: int | None = None, serial: str = KEY_ID
) -> dict[str, str]:
    stamp = str(int(time.time()) if moment is None else moment)
    return {
        "Wechatpay-Timestamp": stamp,
        "Wechatpay-Nonce": "fdasflkja484w",
        "Wechatpay-Serial": serial,
        "Wechatpay-Signature": signed(key, f"{stamp}\nfdasflkja484w\n".encode() + body + b"\n"),
        "Wechatpay-Signature-Type": "WECHATPAY2-SHA256-RSA2048",
    }


COLUMNS = (
    "交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,付款银行,货币种类,应结订单金额,代金券金额,"
    "微信退款单号,商户退款单号,退款金额,充值券退款金额,退款类型,退款状态,商品名称,商户数据包,手续费,费率,订单金额,申请退款金额,费率备注"
)


def statement_of(rows: list[tuple[str, str, str, str]]) -> str:
    """A day from (reference, SUCCESS or REFUND, amount, key)."""
    lines = [COLUMNS]
    for reference, state, amount, key in rows:
        paid, back = (amount, "0.00") if state == "SUCCESS" else ("0.00", amount)
        cells = [
            "2026-11-24 20:00:00", APPID, MCHID, "0", "", "4200001", reference, "oUpF8", "NATIVE", state, "OTHERS",
            "CNY", paid, "0.00", "5030001" if key else "0", key or "0", back, "0.00", "", "SUCCESS" if key else "",
            "K2", "", "0.00000", "0.60%", paid, back, "",
        ]  # fmt: skip
        lines.append(",".join(f"`{cell}" for cell in cells))
    lines += [
        "总交易单数,应结订单总金额,退款总金额,充值券退款总金额,手续费总金额,订单总金额,申请退款总金额",
        "`1,`398.00,`0.00,`0.00,`0.00,`398.00,`0.00",
    ]
    return "\ufeff" + "\r\n".join(lines) + "\r\n"
