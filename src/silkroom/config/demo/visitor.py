"""A browser without a screen: session cookie, CSRF, forms and JSON, through the same doors as everybody's.

Host and crowd of the demo use silkroom through this and through the room's WebSocket, and nothing else.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from html import unescape
from types import TracebackType
from typing import Any, Self

import aiohttp
from yarl import URL

TIMEOUT = aiohttp.ClientTimeout(total=20)
_DATA = re.compile(r'<script id="([\w-]+)" type="application/json">(.*?)</script>', re.S)
_TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')
_FORM = re.compile(r"<form\b[^>]*>.*?</form>", re.S | re.I)
_ATTRIBUTE = re.compile(r'([\w-]+)\s*=\s*"([^"]*)"')
_INPUT = re.compile(r"<(?:input|button)\b[^>]*>", re.I)


class DoorRefused(Exception):
    """A page or an address answered with an error; ``code`` is its stable word where it has one."""

    def __init__(self, status: int, code: str, text: str) -> None:
        super().__init__(f"{status} {code}: {text}")
        self.status, self.code, self.text = status, code, text


@dataclass(frozen=True)
class Form:
    """One form of a page, filled in as a browser would before anybody types."""

    action: str
    fields: dict[str, str]


class Visitor:
    """One person's browser. Use as an asynchronous context manager."""

    def __init__(self, web_url: str, language: str = "zh-hans") -> None:
        self.web_url = web_url.rstrip("/")
        self.language = language
        self.csrf = ""
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        # Addresses of one machine are numbers, for which a careful jar keeps no cookies.
        jar = aiohttp.CookieJar(unsafe=True)
        headers = {"Accept-Language": "zh-CN,zh;q=0.9" if self.language.startswith("zh") else "en,en;q=0.9"}
        self._session = aiohttp.ClientSession(cookie_jar=jar, headers=headers, timeout=TIMEOUT)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._session is not None
        await self._session.close()

    @property
    def session(self) -> aiohttp.ClientSession:
        assert self._session is not None
        return self._session

    async def page(self, path: str) -> str:
        """The text of a page. Raises DoorRefused."""
        async with self.session.get(self._url(path)) as answer:
            text = await answer.text()
            if answer.status >= 400:
                raise DoorRefused(answer.status, "page", path)
            return text

    async def data(self, path: str, name: str) -> dict[str, Any]:
        """What a page gives to its scripts under ``name``."""
        for found, text in _DATA.findall(await self.page(path)):
            if found == name:
                data: dict[str, Any] = json.loads(unescape(text))
                self.csrf = data.get("csrf", self.csrf)
                return data
        raise DoorRefused(200, "no_data", f"{path} has no {name}")

    async def post(self, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """JSON in, JSON out. Raises DoorRefused."""
        async with self.session.post(self._url(path), json=body or {}, headers=self._headers()) as answer:
            text = await answer.text()
            if answer.status >= 400:
                raise _refusal(answer.status, text)
            made: dict[str, Any] = json.loads(text) if text else {}
            self.csrf = made.get("csrf", self.csrf)
            return made

    async def post_form(self, path: str, fields: dict[str, str]) -> dict[str, Any]:
        """A form's fields in, JSON out. Raises DoorRefused."""
        headers = {**self._headers(), "Accept": "application/json"}
        async with self.session.post(self._url(path), data=fields, headers=headers) as answer:
            text = await answer.text()
            if answer.status >= 400:
                raise _refusal(answer.status, text)
            made: dict[str, Any] = json.loads(text)
            return made

    async def forms(self, path: str) -> list[Form]:
        """The forms of a page, with their hidden fields."""
        return forms_in(await self.page(path), path)

    async def submit(self, form: Form, **fields: str) -> str:
        """Send a form with these fields filled in; gives back where it led. Raises DoorRefused."""
        data = {**form.fields, **fields}
        async with self.session.post(self._url(form.action), data=data, headers=self._headers()) as answer:
            if answer.status >= 400:
                raise _refusal(answer.status, await answer.text())
            return answer.url.path

    async def sign_in(self, login: str, password: str) -> None:
        """Through the entrance page. Raises DoorRefused when it does not let one in."""
        path = "/accounts/login/"
        form = next((one for one in await self.forms(path) if "password" in one.fields), None)
        if form is None:
            raise DoorRefused(200, "no_form", path)
        led_to = await self.submit(form, login=login, password=password)
        if led_to == path:
            raise DoorRefused(200, "not_signed_in", login)

    async def guest(self, code: str, name: str) -> dict[str, Any]:
        """Choose a name in the room of the show ``code``; gives back the tickets."""
        await self.data(f"/live/{code}/", "room")
        return await self.post(f"/live/{code}/name", {"name": name})

    def _url(self, path: str) -> URL:
        return URL(self.web_url).join(URL(path))

    def _headers(self) -> dict[str, str]:
        origin = {"Origin": self.web_url, "Referer": self.web_url + "/"}
        return {**origin, "X-CSRFToken": self.csrf} if self.csrf else origin


def forms_in(text: str, path: str) -> list[Form]:
    """Every form of a page; an empty action leads to ``path``."""
    made = []
    for whole in _FORM.findall(text):
        opening = dict(_ATTRIBUTE.findall(whole[: whole.index(">")]))
        fields = {}
        for tag in _INPUT.findall(whole):
            attributes = dict(_ATTRIBUTE.findall(tag))
            if "name" in attributes and attributes.get("type") not in ("checkbox", "radio", "submit"):
                fields[unescape(attributes["name"])] = unescape(attributes.get("value", ""))
        made.append(Form(unescape(opening.get("action", "")) or path, fields))
    return made


def _refusal(status: int, text: str) -> DoorRefused:
    try:
        error = json.loads(text)["error"]
        return DoorRefused(status, error["code"], error["text"])
    except (ValueError, KeyError, TypeError):
        return DoorRefused(status, "refused", text[:120])
