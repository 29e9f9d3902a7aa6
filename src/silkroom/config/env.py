"""Every environment variable silkroom reads, typed, with its default and its meaning.

This is the only module that touches ``os.environ``. docs/settings.md lists the same names; a test compares both.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from silkroom.kit.addresses import is_loopback, read_networks

PREFIX = "SILKROOM_"
ROOT = Path(__file__).resolve().parents[3]
"""The checkout: where the launcher, the locale folder and the default data folder are."""


class SettingError(ValueError):
    """An environment variable holds something that cannot be used; the text names it and says what fits."""


def _text(raw: str) -> str:
    return raw.strip()


def _boolean(raw: str) -> bool:
    words = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}
    try:
        return words[raw.strip().lower()]
    except KeyError:
        raise ValueError("use yes or no") from None


def _whole(minimum: int, maximum: int) -> Callable[[str], int]:
    def parse(raw: str) -> int:
        number = int(raw)
        if not minimum <= number <= maximum:
            raise ValueError(f"use a whole number from {minimum} to {maximum}")
        return number

    return parse


def _words(raw: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in raw.split(",") if word.strip())


def _sender(raw: str) -> str:
    name = raw.strip()
    if "://" in name:
        address = urlsplit(name)
        at_home = address.scheme == "http" and is_loopback(address.hostname or "")
        if not address.hostname or (address.scheme != "https" and not at_home):
            raise ValueError("use an address that begins with https://; http:// reads aloud, but on this machine alone")
    elif name != "terminal" and "." not in name:
        raise ValueError("use an address that begins with https://, terminal, or the dotted path of a class")
    return name


def _networks(raw: str) -> tuple[str, ...]:
    try:
        return tuple(str(network) for network in read_networks(_words(raw)))
    except ValueError as error:
        raise ValueError(f"use addresses or networks such as 10.0.0.0/8; {error}") from None


def _one_of(*words: str) -> Callable[[str], str]:
    def parse(raw: str) -> str:
        word = raw.strip()
        if word not in words:
            raise ValueError(f"use one of {', '.join(words)}")
        return word

    return parse


def _folder(raw: str) -> Path:
    return Path(raw).expanduser().resolve()


def _setting(default: Any, parse: Callable[[str], Any], meaning: str) -> Any:
    return field(default=default, metadata={"parse": parse, "meaning": meaning})


@dataclass(frozen=True)
class Environment:
    """All settings of one process. Field ``database_url`` is read from ``SILKROOM_DATABASE_URL``, and so on."""

    # The switched-off rule takes a call after the annotation Path for shared state; _setting makes a field.
    data_dir: Path = _setting(ROOT / "data", _folder, "folder of all that silkroom keeps on this machine")  # noqa: RUF009
    database_url: str = _setting("", _text, "PostgreSQL of your own; empty: the embedded server")
    nats_url: str = _setting("", _text, "NATS of your own; empty: the embedded server")
    storage_url: str = _setting("", _text, "where pictures and recordings are kept: a folder or s3://bucket/prefix")
    host: str = _setting("127.0.0.1", _text, "address that web and gateway listen on")
    web_port: int = _setting(8000, _whole(1, 65535), "port of the pages")
    gateway_port: int = _setting(8001, _whole(1, 65535), "port of rooms and video")
    jobs_port: int = _setting(8002, _whole(1, 65535), "port of the health check of the background jobs")
    web_threads: int = _setting(16, _whole(1, 512), "threads of one web process")
    web_workers: int = _setting(1, _whole(1, 64), "worker processes of one web server")
    public_url: str = _setting("", _text, "address people type, such as https://shop.example; empty: host and port")
    gateway_url: str = _setting("", _text, "address of the gateway as browsers see it; empty: same host, gateway port")
    allowed_hosts: tuple[str, ...] = _setting((), _words, "further host names that pages answer to, with commas")
    trusted_proxies: tuple[str, ...] = _setting(
        (), _networks, "addresses or networks of proxies in front, with commas: who they say a client is counts"
    )
    tls_certificate: str = _setting("", _text, "certificate file, PEM; set by --tls")
    tls_key: str = _setting("", _text, "key file of the certificate, PEM; set by --tls")
    secret_key: str = _setting("", _text, "key of signatures; empty: made once and kept in the data folder")
    mail_url: str = _setting("", _text, "smtp://user:password@host:port; empty: mails are kept as files")
    mail_from: str = _setting("silkroom@localhost", _text, "sender of mails")
    phone_codes: str = _setting(
        "", _sender, "who sends codes to phones: an https address that takes them, terminal, or a class; empty: nobody"
    )
    phone_codes_secret: str = _setting("", _text, "sent with each code as Authorization: Bearer …")
    language: str = _setting(
        "zh-hans", _one_of("zh-hans", "en"), "language where the browser states none: zh-hans or en"
    )
    time_zone: str = _setting("Asia/Shanghai", _text, "time zone of new shops")
    hold_seconds: int = _setting(900, _whole(5, 86400), "how long an unpaid order keeps its pieces")
    most_unpaid_orders: int = _setting(5, _whole(1, 1000), "unpaid orders that one person may have at a time in a shop")
    sandbox_payments: bool = _setting(False, _boolean, "offer the sandbox payment provider: no real money moves")
    max_watchers: int = _setting(20000, _whole(1, 1000000), "watchers that one gateway takes before it says it is full")
    max_per_address: int = _setting(
        1000, _whole(1, 1000000), "connections of one kind that one gateway takes from one address"
    )
    instance: str = _setting("", _text, "set by up for the processes it starts: who may ask for more than their health")
    log_level: str = _setting("INFO", _one_of("DEBUG", "INFO", "WARNING", "ERROR"), "DEBUG, INFO, WARNING or ERROR")
    debug: bool = _setting(False, _boolean, "show errors on the page (developers only)")

    @classmethod
    def read(cls, source: Mapping[str, str] | None = None) -> Environment:
        """Build from ``source`` (default: the process's environment). Raises SettingError."""
        source = os.environ if source is None else source
        values: dict[str, Any] = {}
        for one in fields(cls):
            name = PREFIX + one.name.upper()
            raw = source.get(name)
            if raw is None or raw == "":
                continue
            try:
                values[one.name] = one.metadata["parse"](raw)
            except ValueError as error:
                raise SettingError(f"{name}={raw!r} cannot be used: {error}") from None
        unknown = sorted(
            name
            for name in source
            if name.startswith(PREFIX) and name[len(PREFIX) :].lower() not in {one.name for one in fields(cls)}
        )
        if unknown:
            raise SettingError(f"unknown setting {unknown[0]}: see docs/settings.md")
        return cls(**values)

    @property
    def is_public(self) -> bool:
        """Whether others than those at this machine come in."""
        return not all(is_loopback(name) for name in (self.host, urlsplit(self.public_url).hostname or "localhost"))

    @property
    def storage_location(self) -> str:
        """Folder or URL where pictures and recordings go."""
        return self.storage_url or str(self.data_dir / "storage")

    def variables(self) -> dict[str, str]:
        """The environment variables that `read` makes this very object from: how a supervisor tells its children."""
        return {
            PREFIX + one.name.upper(): _written(getattr(self, one.name))
            for one in fields(self)
            if getattr(self, one.name) != one.default
        }


def _written(value: Any) -> str:
    """A setting's value as `read` takes it. An empty text reads as "not set", so no default may be a filled text that
    somebody wants to empty."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        return ",".join(value)
    return str(value)


def program_environment(environment: Environment) -> dict[str, str]:
    """The whole environment for a program of ours that is to run with these settings."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    return {
        **inherited,
        **environment.variables(),
        "PYTHONPATH": str(ROOT / "src"),
        "PYTHONUNBUFFERED": "1",
        "DJANGO_SETTINGS_MODULE": "silkroom.config.settings",
    }
