"""Alipay on this machine: gateway.do with RSA2 on both sides, signed notices, statements as ZIP of GBK tables."""

from __future__ import annotations

import io
import itertools
import json
import zipfile
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from cryptography.exceptions import InvalidSignature

from .keys import check_signed, private_bare, public_bare, signed
from .loopback import Answer, Asked, LoopbackProvider

APP_ID = "2021000111122223"
SELLER_ID = "2088000111122223"
VALUES = {
    "app_id": APP_ID,
    "seller_id": SELLER_ID,
    "private_key": private_bare("app"),
    "alipay_public_key": public_bare("alipay"),
}


def joined(fields: dict[str, str]) -> bytes:
    return "&".join(f"{name}={value}" for name, value in sorted(fields.items())).encode()


class AlipayServer(LoopbackProvider):
    """Knows one application."""

    def __init__(self) -> None:
        super().__init__()
        self.trades: dict[str, dict[str, Any]] = {}
        self.statement: bytes | None = None
        self.forges = False
        self._numbers = itertools.count(1)

    # ---- the buyer's browser ----

    def open_page(self, url: str) -> dict[str, Any]:
        """The buyer's browser brings the signed request; from now on the trade exists."""
        fields = dict(parse_qsl(urlsplit(url).query))
        content = self._verified(fields)
        self.trades.setdefault(
            content["out_trade_no"],
            content | {"method": fields["method"], "notify_url": fields["notify_url"], "status": "WAIT_BUYER_PAY",
                       "trade_no": f"20261124220014{next(self._numbers):014d}", "refunds": {}},
        )  # fmt: skip
        return fields | content

    def buyer_pays(self, reference: str) -> None:
        self.trades[reference]["status"] = "TRADE_SUCCESS"

    def notice(self, reference: str, **changes: str) -> bytes:
        trade = self.trades[reference]
        fields = {
            "notify_time": "2026-11-24 20:00:00", "notify_type": "trade_status_sync", "charset": "utf-8",
            "version": "1.0", "notify_id": f"2026112401222{next(self._numbers):020d}", "app_id": APP_ID,
            "auth_app_id": APP_ID,
            "seller_id": SELLER_ID, "buyer_id": "2088722033871957", "trade_no": trade["trade_no"],
            "out_trade_no": reference, "trade_status": trade["status"], "total_amount": trade["total_amount"],
            "subject": trade["subject"], "passback_params": "",
            "fund_bill_list": '[{"amount":"398.00","fundChannel":"花呗"}]',
        }  # fmt: skip
        key = changes.pop("signed_by", "alipay")
        fields |= changes
        return urlencode(fields | {"sign": signed(key, joined(fields)), "sign_type": "RSA2"}).encode()

    # ---- the gateway ----

    def answer(self, asked: Asked) -> Answer:
        if asked.url.path == "/bill.zip":
            return Answer(200, self.statement or b"", {"Content-Type": "application/zip"})
        fields = dict(parse_qsl(asked.body.decode()))
        method = fields["method"]
        try:
            content = self._verified(fields)
        except InvalidSignature:
            error = {
                "code": "40002",
                "msg": "Invalid Arguments",
                "sub_code": "isv.invalid-signature",
                "sub_msg": "验签出错",
            }
            return Answer(200, json.dumps({method.replace(".", "_") + "_response": error}).encode())
        act = {
            "alipay.trade.query": self._query,
            "alipay.trade.close": self._close,
            "alipay.trade.refund": self._refund,
            "alipay.trade.fastpay.refund.query": self._refund_query,
            "alipay.data.dataservice.bill.downloadurl.query": self._bill,
        }[method]
        inner = json.dumps(act(content), ensure_ascii=False)
        signature = signed("forger" if self.forges else "alipay", inner.encode())
        body = f'{{"{method.replace(".", "_")}_response":{inner},"sign":"{signature}"}}'
        return Answer(200, body.encode(), {"Content-Type": "text/html;charset=utf-8"})

    def _verified(self, fields: dict[str, str]) -> dict[str, Any]:
        given = dict(fields)
        given.pop("charset_of_url", None)
        check_signed("app", joined({name: value for name, value in given.items() if name != "sign"}), given["sign"])
        assert (given["app_id"], given["sign_type"], given["charset"]) == (APP_ID, "RSA2", "utf-8")
        datetime.strptime(given["timestamp"], "%Y-%m-%d %H:%M:%S")  # noqa: DTZ007 - the form is what is asserted
        return dict(json.loads(given["biz_content"]))

    def _query(self, content: dict[str, Any]) -> dict[str, Any]:
        trade = self.trades.get(content["out_trade_no"])
        if trade is None:
            return _refused("ACQ.TRADE_NOT_EXIST", "交易不存在")
        return _done(
            out_trade_no=content["out_trade_no"], trade_status=trade["status"], total_amount=trade["total_amount"]
        )

    def _close(self, content: dict[str, Any]) -> dict[str, Any]:
        trade = self.trades.get(content["out_trade_no"])
        if trade is None:
            return _refused("ACQ.TRADE_NOT_EXIST", "交易不存在")
        if trade["status"] != "WAIT_BUYER_PAY":
            return _refused("ACQ.TRADE_STATUS_ERROR", "交易状态不合法")
        trade["status"] = "TRADE_CLOSED"
        return _done(out_trade_no=content["out_trade_no"])

    def _refund(self, content: dict[str, Any]) -> dict[str, Any]:
        trade = self.trades[content["out_trade_no"]]
        refunds, key = trade["refunds"], content["out_request_no"]
        if key in refunds:
            return _done(fund_change="N", refund_fee=refunds[key])
        total = sum(float(one) for one in refunds.values()) + float(content["refund_amount"])
        if round(total * 100) > round(float(trade["total_amount"]) * 100):
            return _refused("ACQ.REFUND_AMT_NOT_EQUAL_TOTAL", "退款金额超限")
        refunds[key] = content["refund_amount"]
        if round(total * 100) == round(float(trade["total_amount"]) * 100):
            trade["status"] = "TRADE_CLOSED"
        return _done(fund_change="Y", refund_fee=content["refund_amount"])

    def _refund_query(self, content: dict[str, Any]) -> dict[str, Any]:
        made = self.trades[content["out_trade_no"]]["refunds"].get(content["out_request_no"])
        return _done(**({"refund_status": "REFUND_SUCCESS", "refund_amount": made} if made else {}))

    def _bill(self, content: dict[str, Any]) -> dict[str, Any]:
        assert content["bill_type"] == "trade"
        if self.statement is None:
            return _refused("isp.bill_not_exist", "账单不存在")
        return _done(bill_download_url=f"{self.base_url}/bill.zip?bizDates={content['bill_date']}")


def _done(**values: Any) -> dict[str, Any]:
    return {"code": "10000", "msg": "Success", **values}


def _refused(code: str, text: str) -> dict[str, Any]:
    return {"code": "40004", "msg": "Business Failed", "sub_code": code, "sub_msg": text}


HEADER = (
    "支付宝交易号,商户订单号,业务类型,商品名称,创建时间,完成时间,门店编号,门店名称,操作员,终端号,对方账户,订单金额（元）,商家实收（元）,"
    "支付宝红包（元）,集分宝（元）,支付宝优惠（元）,商家优惠（元）,券核销金额（元）,券名称,商家红包消费金额（元）,卡消费金额（元）,"
    "退款批次号/请求号,服务费（元）,分润（元）,备注"
)


def statement_of(rows: list[tuple[str, str, str, str]]) -> bytes:
    """A day's ZIP from (reference, 交易 or 退款, amount, key)."""
    lines = ["#支付宝业务明细查询", f"#账号：[{SELLER_ID}0156]", "#-----业务明细列表-----", HEADER]
    lines += [
        f"20261124\t,{reference}\t,{kind}\t,K2,2026-11-24 20:00:00,2026-11-24 20:01:00, , , , ,*佳,{amount},{amount},"
        f"0.00,0.00,0.00,0.00,0.00,,0.00,0.00,{key}\t,-0.01,0.00,"
        for reference, kind, amount, key in rows
    ]
    summary = ["#支付宝业务汇总查询", "门店编号,门店名称,交易订单总笔数", "合计, ,1"]
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr(
            "20880001111222230156_20261124_业务明细.csv", "\r\n".join([*lines, "#-----结束-----"]).encode("gbk")
        )
        archive.writestr("20880001111222230156_20261124_业务明细(汇总).csv", "\r\n".join(summary).encode("gbk"))
    return packed.getvalue()
