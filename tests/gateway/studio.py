"""Somebody signed in to the web process: the studio's keys, pressed over HTTP."""

from __future__ import annotations

from typing import Any

import aiohttp
from django.conf import settings
from django.test import Client

from silkroom.accounts.models import Person
from silkroom.live.broadcasts.models import Broadcast

CSRF = "a" * 32


def cookies_of(person: Person | None) -> dict[str, str]:
    """Cookies of a browser in which the person has signed in."""
    cookies = {settings.CSRF_COOKIE_NAME: CSRF}
    if person is not None:
        client = Client()
        client.force_login(person, backend="django.contrib.auth.backends.ModelBackend")
        cookies[settings.SESSION_COOKIE_NAME] = client.cookies[settings.SESSION_COOKIE_NAME].value
    return cookies


class Studio:
    """``await studio.press("spotlight", style=7)`` gives (status, body)."""

    def __init__(self, session: aiohttp.ClientSession, web: str, broadcast: Broadcast, cookies: dict[str, str]) -> None:
        self._session = session
        self._base = f"{web}/live/{broadcast.code}/"
        self._cookies = cookies

    async def post(self, place: str, **body: Any) -> tuple[int, Any]:
        headers = {"X-CSRFToken": CSRF, "Accept": "application/json"}
        async with self._session.post(
            self._base + place, json=body, headers=headers, cookies=self._cookies
        ) as response:
            return response.status, await response.json()

    async def press(self, key: str, **body: Any) -> Any:
        """A key of the studio that must work; its answer."""
        status, answer = await self.post(f"studio/{key}", **body)
        assert status == 200, answer
        return answer
