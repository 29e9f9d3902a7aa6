"""Settings: what is read, what is refused, and that the document lists exactly these."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest

from silkroom.config.env import PREFIX, ROOT, Environment, SettingError, program_environment


def test_nothing_set_gives_the_defaults() -> None:
    environment = Environment.read({})
    assert (environment.host, environment.web_port, environment.gateway_port) == ("127.0.0.1", 8000, 8001)
    assert environment.storage_location == str(ROOT / "data" / "storage")
    assert not environment.sandbox_payments, "nobody gives goods away by forgetting a setting"


def test_values_are_typed() -> None:
    environment = Environment.read(
        {
            "SILKROOM_WEB_PORT": "9000",
            "SILKROOM_SANDBOX_PAYMENTS": "yes",
            "SILKROOM_ALLOWED_HOSTS": "shop.example, www.shop.example,",
            "SILKROOM_DATA_DIR": "/srv/silk room",
            "HOME": "/nowhere",
        }
    )
    assert environment.web_port == 9000
    assert environment.sandbox_payments is True
    assert environment.allowed_hosts == ("shop.example", "www.shop.example")
    assert environment.data_dir == Path("/srv/silk room")


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("SILKROOM_WEB_PORT", "http", "SILKROOM_WEB_PORT='http' cannot be used"),
        ("SILKROOM_WEB_PORT", "70000", "use a whole number from 1 to 65535"),
        ("SILKROOM_DEBUG", "perhaps", "use yes or no"),
        ("SILKROOM_LOG_LEVEL", "loud", "use one of DEBUG, INFO, WARNING, ERROR"),
        ("SILKROOM_TRUSTED_PROXIES", "proxy.example", "use addresses or networks such as 10.0.0.0/8"),
        ("SILKROOM_PHONE_CODES", "log", "use an address that begins with https://"),
        ("SILKROOM_PHONE_CODES", "http://sms.example/send", "use an address that begins with https://"),
        ("SILKROOM_PHONE_CODES", "http://10.0.0.7/send", "use an address that begins with https://"),
        ("SILKROOM_PHONE_CODES", "ftp://sms.example/send", "use an address that begins with https://"),
        ("SILKROOM_DATABSE_URL", "x", "unknown setting SILKROOM_DATABSE_URL"),
    ],
)
def test_what_cannot_be_used_is_named(name: str, value: str, expected: str) -> None:
    with pytest.raises(SettingError, match=re.escape(expected)):
        Environment.read({name: value})


def test_children_read_back_what_the_supervisor_told_them() -> None:
    told = Environment(
        data_dir=Path("/srv/silk room"),
        web_port=9000,
        allowed_hosts=("a.example", "b.example"),
        trusted_proxies=("127.0.0.1/32", "10.0.0.0/8"),
        sandbox_payments=True,
        debug=True,
        database_url="postgresql://a:b@c/d?sslmode=require",
    )
    assert Environment.read(told.variables()) == told


def test_settings_of_the_person_do_not_leak_into_a_child(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SILKROOM_WEB_PORT", "9999")
    variables = program_environment(Environment(gateway_port=9001))
    assert {name: value for name, value in variables.items() if name.startswith(PREFIX)} == {
        "SILKROOM_GATEWAY_PORT": "9001"
    }


def test_the_document_lists_every_setting_with_its_default() -> None:
    rows = re.findall(
        r"^\| `(SILKROOM_[A-Z_]+)` \| (.*?) \|",
        (ROOT / "docs" / "settings.md").read_text(encoding="utf-8"),
        re.MULTILINE,
    )
    documented = {name: default.strip("` ") for name, default in rows}
    assert documented == {PREFIX + one.name.upper(): _shown(one.default) for one in fields(Environment)}


def _shown(default: object) -> str:
    if isinstance(default, bool):
        return "yes" if default else "no"
    if isinstance(default, Path):
        return f"./{default.relative_to(ROOT)}"
    return "" if default in ("", ()) else str(default)


@pytest.mark.parametrize("address", ["https://sms.example/send", "http://127.0.0.1:9/send", "http://localhost:9/send"])
def test_codes_go_out_sealed_or_stay_on_this_machine(address: str) -> None:
    assert Environment.read({"SILKROOM_PHONE_CODES": address}).phone_codes == address
