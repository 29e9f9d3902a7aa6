"""Stripe on this machine: Checkout Sessions, refunds, balance transactions, signed notices."""

from __future__ import annotations

import hashlib
import hmac
import itertools
import json
import time
from typing import Any
from urllib.parse import parse_qs, parse_qsl

from .loopback import Answer, Asked, LoopbackProvider

ACCOUNT = "acct_1SilkHouse"
SECRET_KEY = "sk_test_51SilkHouseSecret"
WEBHOOK_SECRET = "whsec_SilkHouseSigning"


class StripeServer(LoopbackProvider):
    """Knows one account."""

    def __init__(self) -> None:
        super().__init__()
        self.sessions: dict[str, dict[str, Any]] = {}
        self.refunds: list[dict[str, Any]] = []
        self.by_key: dict[str, dict[str, Any]] = {}
        self.transactions: list[dict[str, Any]] = []
        self.refund_status = "succeeded"
        self._numbers = itertools.count(1)

    def answer(self, asked: Asked) -> Answer:
        if asked.headers.get("Authorization") != f"Bearer {SECRET_KEY}":
            return _json(401, {"error": {"type": "invalid_request_error", "message": f"Invalid API Key {SECRET_KEY}"}})
        form = dict(parse_qsl(asked.body.decode()))
        match (asked.method, asked.url.path.removeprefix("/v1/").split("/")):
            case ("POST", ["checkout", "sessions"]):
                return self._once(asked, lambda: self._create(form))
            case ("GET", ["checkout", "sessions", name]):
                return _json(200, self.sessions[name]) if name in self.sessions else _missing()
            case ("POST", ["checkout", "sessions", name, "expire"]):
                return self._expire(name)
            case ("GET", ["refunds"]):
                intent = parse_qs(asked.url.query)["payment_intent"][0]
                return _list([one for one in self.refunds if one["payment_intent"] == intent])
            case ("POST", ["refunds"]):
                return self._once(asked, lambda: self._refund(form))
            case ("GET", ["account"]):
                return _json(200, {"id": ACCOUNT, "object": "account"})
            case ("GET", ["balance_transactions"]):
                query = parse_qs(asked.url.query)
                first, last = int(query["created[gte]"][0]), int(query["created[lt]"][0])
                return _list([one for one in self.transactions if first <= one["created"] < last])
        return _missing()

    def _once(self, asked: Asked, act: Any) -> Answer:
        key = asked.headers["Idempotency-Key"]
        if key not in self.by_key:
            status, made = act()
            if status != 200:
                return _json(status, made)
            self.by_key[key] = json.loads(json.dumps(made))
        return _json(200, self.by_key[key])

    def _create(self, form: dict[str, str]) -> tuple[int, dict[str, Any]]:
        if int(form["expires_at"]) < time.time() + 30 * 60:
            return 400, {"error": {"type": "invalid_request_error", "param": "expires_at", "message": "too soon"}}
        # Since 2026-09-30 Stripe refuses payment_method_types.
        if any(name.startswith("payment_method_types") for name in form):
            return 400, {"error": {"type": "invalid_request_error", "code": "parameter_unknown", "message": "x"}}
        assert form["allowed_payment_method_types[0]"] == "card"
        assert form["payment_intent_data[metadata][reference]"] == form["metadata[reference]"]
        name = f"cs_test_{next(self._numbers)}"
        self.sessions[name] = {
            "id": name,
            "object": "checkout.session",
            "url": f"https://checkout.stripe.com/c/pay/{name}",
            "status": "open",
            "payment_status": "unpaid",
            "amount_total": int(form["line_items[0][price_data][unit_amount]"]),
            "currency": form["line_items[0][price_data][currency]"],
            "metadata": {"silkroom": form["metadata[silkroom]"], "reference": form["metadata[reference]"]},
            "payment_intent": None,
            "success_url": form["success_url"],
        }
        return 200, self.sessions[name]

    def _expire(self, name: str) -> Answer:
        session = self.sessions.get(name)
        if session is None or session["status"] != "open":
            return _json(400, {"error": {"type": "invalid_request_error", "message": "This Session is not open."}})
        session["status"] = "expired"
        return _json(200, session)

    def _refund(self, form: dict[str, str]) -> tuple[int, dict[str, Any]]:
        intent, amount = form["payment_intent"], int(form["amount"])
        session = next(one for one in self.sessions.values() if one["payment_intent"] == intent)
        back = sum(one["amount"] for one in self.refunds if one["payment_intent"] == intent)
        if back + amount > session["amount_total"]:
            return 400, {"error": {"type": "invalid_request_error", "code": "charge_already_refunded", "message": "x"}}
        refund = {
            "id": f"re_{next(self._numbers)}",
            "object": "refund",
            "payment_intent": intent,
            "amount": amount,
            "currency": session["currency"],
            "status": self.refund_status,
            "metadata": {name: form[f"metadata[{name}]"] for name in ("silkroom", "reference", "key")},
        }
        self.refunds.append(refund)
        return 200, refund

    # ---- what happens on Stripe's own page ----

    def buyer_pays(self, reference: str) -> dict[str, Any]:
        session = self.session_of(reference)
        session |= {"status": "complete", "payment_status": "paid", "payment_intent": f"pi_{session['id']}"}
        return session

    def session_of(self, reference: str) -> dict[str, Any]:
        return next(one for one in self.sessions.values() if one["metadata"]["reference"] == reference)

    def notice(self, session: dict[str, Any], kind: str = "checkout.session.completed", **event: Any) -> bytes:
        number = event.pop("id", f"evt_{next(self._numbers)}")
        return json.dumps(
            {"id": number, "object": "event", "type": kind, "livemode": False, "data": {"object": session}, **event}
        ).encode()


def signature(body: bytes, *, secret: str = WEBHOOK_SECRET, moment: int | None = None) -> dict[str, str]:
    """The header of a notice: HMAC-SHA256 over the moment and the raw body."""
    moment = int(time.time()) if moment is None else moment
    mac = hmac.new(secret.encode(), f"{moment}.".encode() + body, hashlib.sha256).hexdigest()
    return {"Stripe-Signature": f"t={moment},v1={mac},v0=old"}


def _json(status: int, body: Any) -> Answer:
    return Answer(status, json.dumps(body).encode(), {"Content-Type": "application/json"})


def _list(rows: list[dict[str, Any]]) -> Answer:
    return _json(200, {"object": "list", "data": rows, "has_more": False, "url": "/v1/x"})


def _missing() -> Answer:
    error = {"type": "invalid_request_error", "code": "resource_missing", "message": "No such thing"}
    return _json(404, {"error": error})
