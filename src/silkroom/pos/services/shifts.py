"""Shifts: opened with a cash float, closed with a count."""

from __future__ import annotations

from django.db import IntegrityError, transaction

from silkroom.journal.services import append_entry
from silkroom.kit.clock import now

from ..errors import NoShiftOpen, ShiftOpenAlready
from ..models import Shift, Till
from ..queries import Clerk
from .sales import fill_leases


def open_shift(*, till: Till, clerk: Clerk, float_minor: int) -> Shift:
    """Money is in the drawer and selling begins. Raises ShiftOpenAlready."""
    try:
        with transaction.atomic():
            shift = Shift.objects.create(till=till, opened_by=clerk.person, role=clerk.role, float_minor=float_minor)
    except IntegrityError:
        raise ShiftOpenAlready from None
    fill_leases(till=till, is_open=True)
    append_entry(kind="shift.opened", shop_id=till.shop_id, data={"till": till.code, "shift": shift.pk})
    return shift


def close_shift(
    *, till: Till, shift_id: int, clerk: Clerk, counted_cash_minor: int, counted_code_minor: int, note: str = ""
) -> Shift:
    """What was counted is written down, whatever it is. Closed twice, the first count stays. Raises NoShiftOpen."""
    shift = Shift.objects.select_for_update(no_key=True).filter(till=till, pk=shift_id).first()
    if shift is None:
        raise NoShiftOpen
    if shift.closed_at is not None:
        return shift
    shift.closed_at, shift.closed_by = now(), clerk.person
    shift.counted_cash_minor, shift.counted_code_minor = counted_cash_minor, counted_code_minor
    shift.note = note[:200]
    shift.save(update_fields=["closed_at", "closed_by", "counted_cash_minor", "counted_code_minor", "note"])
    fill_leases(till=till, is_open=False)
    append_entry(kind="shift.closed", shop_id=till.shop_id, data={"till": till.code, "shift": shift.pk})
    return shift
