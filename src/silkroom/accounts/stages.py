"""Steps of signing in that django-allauth takes one after the other."""

from __future__ import annotations

from typing import Any

from allauth.account.stages import EmailVerificationStage


class EmailStage(EmailVerificationStage):  # type: ignore[misc]
    """Proof of the e-mail, from those who have one: whoever signed up by phone has proved the phone."""

    def handle(self) -> tuple[Any, bool]:
        person = self.login.user
        if person is not None and not person.email:
            return None, True
        step: tuple[Any, bool] = super().handle()
        return step
