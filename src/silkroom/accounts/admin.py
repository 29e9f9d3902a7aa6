"""Admin pages of people. Signing in to the admin goes through the same page, with the same limits, as for everybody."""

from __future__ import annotations

from typing import Any

from allauth.account.decorators import secure_admin_login
from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.models import Group
from django.http import HttpRequest
from unfold.admin import ModelAdmin
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from silkroom.journal.admin import LookOnlyAdmin

from .models import Address, Person, Submission

admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]
admin.site.unregister(Group)


class PersonCreationForm(UserCreationForm):  # type: ignore[misc]
    """A person with e-mail and password; the rest follows on the next page."""

    class Meta:
        model = Person
        fields = ("email", "name")


class PersonChangeForm(UserChangeForm):  # type: ignore[misc]
    """A person's own row."""

    class Meta:
        model = Person
        fields = "__all__"

    def clean_email(self) -> str | None:
        """Empty means none: several people have no e-mail."""
        return self.cleaned_data["email"] or None

    def clean_phone(self) -> str | None:
        return self.cleaned_data["phone"] or None


@admin.register(Person)
class PersonAdmin(UserAdmin, ModelAdmin):  # type: ignore[misc, type-arg]
    """People: members and guests."""

    form = PersonChangeForm
    add_form = PersonCreationForm
    change_password_form = AdminPasswordChangeForm
    list_display = ("__str__", "email", "phone", "is_guest", "is_staff", "is_active", "joined_at")
    list_filter = ("is_guest", "is_staff", "is_active", "phone_verified")
    search_fields = ("name", "email", "phone", "code")
    ordering = ("-id",)
    list_per_page = 50
    show_full_result_count = False
    readonly_fields = ("code", "is_guest", "last_login", "joined_at")
    filter_horizontal = ("groups", "user_permissions")
    fieldsets = (
        (None, {"fields": ("code", "name", "email", "phone", "phone_verified", "password")}),
        ("Rights", {"fields": ("is_active", "is_staff", "is_superuser", "groups", "user_permissions")}),
        ("Moments", {"fields": ("is_guest", "joined_at", "last_login")}),
    )
    add_fieldsets = ((None, {"fields": ("email", "name", "usable_password", "password1", "password2")}),)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        # Orders point at people; somebody who must go is made inactive.
        return False


@admin.register(Group)
class GroupAdmin(DjangoGroupAdmin, ModelAdmin):  # type: ignore[misc]
    """Groups of rights for operators."""


@admin.register(Address)
class AddressAdmin(LookOnlyAdmin):
    """Where parcels go; people change it themselves."""

    list_display = ("recipient", "person", "phone", "line")
    search_fields = ("recipient", "phone", "line", "person__name")
    list_select_related = ("person",)


@admin.register(Submission)
class SubmissionAdmin(LookOnlyAdmin):
    """Forms that were carried out once."""

    list_display = ("at", "purpose", "person", "result", "key")
    list_filter = ("purpose",)
    search_fields = ("key", "result")
    list_select_related = ("person",)
    ordering = ("-id",)
