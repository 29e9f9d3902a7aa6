"""Background entry points of sales, where procrastinate looks for them."""

from silkroom.sales.payments.jobs import (
    ask_about_failed_payment,
    ask_about_payment,
    carry_out_refund,
    forget_old_nonces,
    reconcile,
    reconcile_account,
    send_sandbox_notice,
)

__all__ = [
    "ask_about_failed_payment",
    "ask_about_payment",
    "carry_out_refund",
    "forget_old_nonces",
    "reconcile",
    "reconcile_account",
    "send_sandbox_notice",
]
