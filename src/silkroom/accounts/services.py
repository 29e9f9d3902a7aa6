"""Writing people: sign-up, guests, names, addresses; and carrying out a form only once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from uuid import UUID

import structlog
from allauth.account.models import EmailAddress
from django.contrib.sessions.models import Session
from django.db import IntegrityError, connection, transaction
from django.db.models import Model, Q

from silkroom.journal.services import append_entry
from silkroom.kit.clock import now
from silkroom.kit.errors import NotFound

from .errors import ContactTaken, TooManyAddresses
from .models import Address, Person, Submission
from .queries import abandoned_sign_ups, unproven_sign_ups
from .rules import LONGEST_GUEST_NAME, MOST_ADDRESSES, clean_name, normalise_email, normalise_phone

log = structlog.get_logger(__name__)


def make_guest(*, name: str) -> Person:
    """A person who only chose a name: may speak and buy in this browser. Raises NameUnusable."""
    guest = Person(name=clean_name(name, longest=LONGEST_GUEST_NAME), is_guest=True)
    guest.set_unusable_password()
    guest.save()
    return guest


def register_person(
    *, name: str, password: str, email: str | None = None, phone: str | None = None, verified: bool = False
) -> Person:
    """A member with a password, reached by e-mail or phone.

    Raises NameUnusable, EmailUnusable, PhoneUnusable, ContactTaken.
    ``verified``: the contact is known to be the person's (commands, demo); pages leave the proof to allauth.
    """
    person = Person(
        name=clean_name(name),
        email=normalise_email(email) if email else None,
        phone=normalise_phone(phone) if phone else None,
        phone_verified=bool(phone) and verified,
    )
    person.set_password(password)
    if person.phone:
        Person.objects.filter(abandoned_sign_ups(), phone=person.phone, email=None).delete()
    if person.email:
        # Whoever typed an address first has no claim on it: the one who can read its mails has.
        Person.objects.filter(unproven_sign_ups(), email=person.email).delete()
    try:
        with transaction.atomic():
            person.save()
            if person.email and verified:
                EmailAddress.objects.create(user=person, email=person.email, primary=True, verified=True)
    except IntegrityError as error:
        raise ContactTaken from error
    append_entry(kind="person.joined", data={"person": person.code})
    return person


def rename_person(*, person: Person, name: str) -> Person:
    """Change how the person is called. Raises NameUnusable."""
    person.name = clean_name(name)
    person.save(update_fields=["name"])
    return person


def set_phone(*, person: Person, phone: str, verified: bool) -> None:
    """Keep a number (E.164) as the person's own. Raises ContactTaken."""
    person.phone = phone
    person.phone_verified = verified
    try:
        with transaction.atomic():
            person.save(update_fields=["phone", "phone_verified"])
    except IntegrityError as error:
        raise ContactTaken from error


def retire_guest(*, guest: Person) -> None:
    """The guest has become a member: nobody can be them again."""
    Person.objects.filter(pk=guest.pk, is_guest=True).update(is_active=False)


def add_address(*, person: Person, recipient: str, phone: str, line: str, region_code: str = "") -> Address:
    """Keep an address. Raises NameUnusable, PhoneUnusable, TooManyAddresses."""
    # The person's row is the lock: two tabs cannot both be the twentieth.
    Person.objects.select_for_update().get(pk=person.pk)
    if Address.objects.filter(person=person).count() >= MOST_ADDRESSES:
        raise TooManyAddresses(most=MOST_ADDRESSES)
    return Address.objects.create(
        person=person,
        recipient=clean_name(recipient, longest=60),
        phone=normalise_phone(phone),
        region_code=region_code,
        line=clean_name(line, longest=200),
    )


def change_address(*, address: Address, recipient: str, phone: str, line: str, region_code: str = "") -> Address:
    """Correct an address; orders keep the words they were placed with. Raises NameUnusable, PhoneUnusable."""
    address.recipient = clean_name(recipient, longest=60)
    address.phone = normalise_phone(phone)
    address.region_code = region_code
    address.line = clean_name(line, longest=200)
    address.save(update_fields=["recipient", "phone", "region_code", "line"])
    return address


def remove_address(*, person: Person, address_id: int) -> None:
    """Forget an address of the person's own. Raises NotFound."""
    deleted, _ = Address.objects.filter(person=person, pk=address_id).delete()
    if not deleted:
        raise NotFound


CLAIM = """
    INSERT INTO accounts_submission (person_id, purpose, key, result) VALUES (%s, %s, %s, '')
    ON CONFLICT (person_id, purpose, key) DO NOTHING RETURNING id
"""


def do_once(*, person: Person, purpose: str, key: UUID, act: Callable[[], str]) -> str:
    """Carry out ``act`` unless this person already sent ``key`` for ``purpose``; its answer (a code) either way.

    Claim, act and answer are one transaction, so a failed try leaves the key free. A repeat that arrives while the
    first is under way waits at the unique index and then gets the first one's answer.
    """
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(CLAIM, (person.pk, purpose, key))
            claimed = cursor.fetchone()
        if claimed is None:
            return Submission.objects.values_list("result", flat=True).get(person=person, purpose=purpose, key=key)
        result = act()
        Submission.objects.filter(pk=claimed[0]).update(result=result)
        return result


def forget_submissions(*, older_than: timedelta) -> int:
    """Keys of forms that nobody sends again. Returns how many."""
    deleted, _ = Submission.objects.filter(at__lt=now() - older_than).delete()
    return deleted


def forget_sign_ups(*, older_than: timedelta) -> int:
    """Sign-ups whose contact was never proven: nobody was ever let in by them. Returns how many."""
    return _forget_people((unproven_sign_ups() | abandoned_sign_ups()) & Q(joined_at__lt=now() - older_than))


MOST_FORGOTTEN = 20_000
"""People in one night; the rest waits for the next."""

_AT_ONCE = 200


def _forget_people(which: Q) -> int:
    numbers = list(Person.objects.filter(which).order_by("pk").values_list("pk", flat=True)[:MOST_FORGOTTEN])
    return sum(_forget_these(which, numbers[at : at + _AT_ONCE]) for at in range(0, len(numbers), _AT_ONCE))


def _forget_these(which: Q, numbers: Sequence[int]) -> int:
    """One of them who cannot go keeps nobody else here."""
    try:
        with transaction.atomic():
            # Whoever writes a row about a person holds the person's: behind the lock the condition is asked again.
            locked = list(Person.objects.select_for_update().filter(pk__in=numbers).values_list("pk", flat=True))
            return _number(Person.objects.filter(which, pk__in=locked).delete(), Person)
    except IntegrityError:
        if len(numbers) == 1:
            log.exception("a person cannot be forgotten", person=numbers[0])
            return 0
        return sum(_forget_these(which, [one]) for one in numbers)


def forget_sessions() -> int:
    """Sessions that have run out, with the codes that were asked for in them. Returns how many."""
    return _number(Session.objects.filter(expire_date__lt=now()).delete(), Session)


_FORGET_COUNTERS = "DELETE FROM accounts_counters WHERE expires < now()"


def forget_counters() -> int:
    """Counters of tries that have run out. Returns how many."""
    with connection.cursor() as cursor:
        cursor.execute(_FORGET_COUNTERS)
        return int(cursor.rowcount)


_FORGET_JOBS = """
    DELETE FROM procrastinate_jobs AS job
    WHERE status IN ('succeeded', 'failed', 'cancelled', 'aborted')
      AND NOT EXISTS (SELECT FROM procrastinate_events AS event WHERE event.job_id = job.id AND event.at >= %s)
"""


def forget_jobs(*, older_than: timedelta) -> int:
    """Jobs that came to an end so long ago. Returns how many."""
    with connection.cursor() as cursor:
        cursor.execute(_FORGET_JOBS, [now() - older_than])
        return int(cursor.rowcount)


def _number(deleted: tuple[int, dict[str, int]], model: type[Model]) -> int:
    """How many rows of the table itself were deleted, without those that hung on them."""
    return deleted[1].get(model._meta.label, 0)
