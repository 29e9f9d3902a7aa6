"""People: one row for one person, whether they buy, host, sew or run the installation."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from silkroom.kit.ids import make_code


class PersonManager(BaseUserManager["Person"]):
    """Creates people; Django's commands call it."""

    def create_user(self, email: str | None = None, password: str | None = None, **fields: Any) -> Person:
        person = self.model(email=self.normalize_email(email).lower() if email else None, **fields)
        person.set_password(password)
        person.save(using=self._db)
        return person

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> Person:
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)


class Person(AbstractBaseUser, PermissionsMixin):
    """A person. Guests have neither e-mail nor phone: only the browser that made them can be them."""

    code = models.CharField(max_length=10, unique=True, default=make_code, editable=False)
    email = models.EmailField(unique=True, null=True, blank=True)
    phone = models.CharField(
        max_length=16, unique=True, null=True, blank=True, help_text="E.164, such as +8613800138000"
    )
    phone_verified = models.BooleanField(default=False)
    name = models.CharField(max_length=40, blank=True)
    is_guest = models.BooleanField(default=False)
    is_staff = models.BooleanField("operator", default=False, help_text="may open the admin pages")
    is_active = models.BooleanField(default=True)
    joined_at = models.DateTimeField(db_default=Now(), editable=False)

    objects = PersonManager()
    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        verbose_name = _("person")
        verbose_name_plural = _("people")
        constraints = [
            models.CheckConstraint(
                name="person_can_be_reached",
                condition=models.Q(is_guest=True) | models.Q(email__isnull=False) | models.Q(phone__isnull=False),
            )
        ]

    def __str__(self) -> str:
        return self.name or self.email or self.phone or self.code


class Submission(models.Model):
    """A form that a person sent with a key of its own: sent twice, it is carried out once (see `services.do_once`)."""

    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="+")
    purpose = models.CharField(max_length=40)
    key = models.UUIDField()
    result = models.CharField(max_length=120, blank=True, help_text="code of what it made")
    at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        verbose_name = _("form sent")
        verbose_name_plural = _("forms sent")
        constraints = [models.UniqueConstraint(fields=["person", "purpose", "key"], name="submitted_once")]
        indexes = [models.Index(fields=["at"], name="submission_by_time")]

    def __str__(self) -> str:
        return f"{self.purpose} {self.key}"


class Address(models.Model):
    """Where a person's parcels go."""

    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="addresses")
    recipient = models.CharField(max_length=60)
    phone = models.CharField(max_length=16)
    region_code = models.CharField(max_length=6, blank=True, help_text="GB/T 2260")
    line = models.CharField(max_length=200)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        verbose_name = _("address")
        verbose_name_plural = _("addresses")

    def __str__(self) -> str:
        return f"{self.recipient}, {self.line}"
