"""What doctor sees: each thing that can be wrong is named, and is what makes its exit code 1."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import psycopg
import pytest

from silkroom.config.cli import doctor
from silkroom.config.cli.doctor import examine
from silkroom.config.cli.findings import Finding, of_settings
from silkroom.config.env import Environment, program_environment
from silkroom.config.processes.certificates import ensure_certificate


def findings(environment: Environment) -> dict[str, Finding]:
    return {finding.subject: finding for finding in examine(environment)}


def wrong(environment: Environment) -> dict[str, str]:
    return {name: finding.text for name, finding in findings(environment).items() if finding.is_well is False}


def test_a_fresh_machine_is_well_with_nothing_running(tmp_path: Path) -> None:
    found = findings(Environment(data_dir=tmp_path / "data"))
    assert {name for name, finding in found.items() if finding.is_well is False} == set()
    assert found["database"].text == "not running; `./silkroom up` starts it"
    assert "will be made" in found["data folder"].text
    assert not (tmp_path / "data").exists()


def test_servers_that_cannot_be_reached_are_wrong(tmp_path: Path) -> None:
    found = wrong(
        Environment(
            data_dir=tmp_path,
            database_url="postgresql://silkroom:hunter2@127.0.0.1:9/x",
            nats_url="nats://hunter2@127.0.0.1:9",
        )
    )
    assert set(found) == {"database", "NATS server"}
    assert all("cannot be reached" in text and "hunter2" not in text for text in found.values())


def test_tables_that_wait_for_changes_are_wrong(tmp_path: Path, database_url: str, nats_url: str) -> None:
    url = database_url.rsplit("/", 1)[0] + "/doctor_empty"
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("CREATE DATABASE doctor_empty")
    try:
        environment = Environment(data_dir=tmp_path, database_url=url, nats_url=nats_url)
        found = findings(environment)
        assert [name for name, finding in found.items() if finding.is_well is False] == ["tables"]
        assert "run prepare" in found["tables"].text
        assert found["database"].is_well is True
        assert found["NATS server"].is_well is True
        assert found["clock"].is_well is True
        done = subprocess.run(
            [sys.executable, "-m", "silkroom", "doctor"],
            env=program_environment(environment),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 1
        assert done.stdout.splitlines()[-1] == "1 thing to repair"
    finally:
        with psycopg.connect(database_url, autocommit=True) as connection:
            connection.execute("DROP DATABASE doctor_empty WITH (FORCE)")


def test_storage_that_takes_no_files_is_wrong(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert set(wrong(Environment(data_dir=tmp_path, storage_url="nonsense://bucket"))) == {"storage"}
    assert set(wrong(Environment(data_dir=tmp_path, storage_url=str(tmp_path / "file")))) == {"storage"}


def test_a_full_disk_and_a_data_folder_that_is_none_are_wrong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "LEAST_FREE_BYTES", 2**62)
    (tmp_path / "data").write_text("a file")
    found = wrong(Environment(data_dir=tmp_path / "data"))
    assert set(found) >= {"disk", "data folder"}
    assert found["disk"].startswith("only ")


def test_a_certificate_that_ends_soon_is_wrong_if_it_is_the_users_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = ensure_certificate(tmp_path / "own")
    environment = Environment(
        data_dir=tmp_path / "data", tls_certificate=str(files.certificate), tls_key=str(files.key)
    )
    assert "https" not in wrong(environment)
    monkeypatch.setattr(doctor, "RENEW_DAYS", 400)
    assert "certificate ends" in wrong(environment)["https"]
    missing = Environment(data_dir=tmp_path, tls_certificate="/nowhere.pem", tls_key="/nowhere.key")
    assert "/nowhere.pem" in wrong(missing)["https"]


PUBLIC = {"public_url": "https://shop.example", "trusted_proxies": ("127.0.0.1",), "mail_url": "smtp://mail.example"}


@pytest.mark.parametrize(
    ("settings", "purpose", "subjects"),
    [
        ({}, "", set()),
        (PUBLIC, "", set()),
        ({"sandbox_payments": True}, "", set()),
        ({**PUBLIC, "sandbox_payments": True}, "", {"payments"}),
        ({**PUBLIC, "sandbox_payments": True}, "demo", set()),
        ({"sandbox_payments": True, "host": "0.0.0.0", "mail_url": "smtp://mail"}, "", {"payments"}),
        ({"sandbox_payments": True, "public_url": "http://localhost:8000"}, "", set()),
        ({**PUBLIC, "mail_url": ""}, "", {"e-mail"}),
        ({**PUBLIC, "trusted_proxies": ()}, "", {"proxy"}),
        ({**PUBLIC, "trusted_proxies": (), "tls_certificate": "/own.pem"}, "", set()),
    ],
)
def test_what_must_not_be_so_in_public_is_wrong(settings: dict[str, Any], purpose: str, subjects: set[str]) -> None:
    found = of_settings(Environment(**settings), purpose)
    assert {finding.subject for finding in found if finding.is_well is False} == subjects


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({}, "people sign up by e-mail alone"),
        ({"phone_codes": "terminal"}, "printed by the web process, sent to nobody"),
        ({"phone_codes": "https://user:hunter2@sms.example/x?key=hunter2"}, "posted to sms.example"),
        ({"phone_codes": "shop.codes.Own"}, "sent by shop.codes.Own"),
        ({"mail_url": "smtp://user:hunter2@mail.example"}, "sent through mail.example"),
        ({}, "SILKROOM_MAIL_URL is not set"),
    ],
)
def test_how_people_are_reached_is_said_without_secrets(settings: dict[str, Any], text: str) -> None:
    told = " ".join(finding.text for finding in of_settings(Environment(**settings)))
    assert text in told
    assert "hunter2" not in told


def test_up_warns_of_practice_payments_in_public(data_dir: Path) -> None:
    environment = Environment(data_dir=data_dir, public_url="http://shop.example", sandbox_payments=True)
    running = subprocess.Popen(
        [sys.executable, "-m", "silkroom", "up"],
        env=program_environment(environment),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert running.stdout
    lines = []
    for line in running.stdout:
        lines.append(line)
        if line.startswith("logs in"):
            break
    running.terminate()
    running.communicate(timeout=60)
    assert [line for line in lines if line.startswith("WARNING") and "practice payments are on" in line]
