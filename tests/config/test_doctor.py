"""What doctor sees: each thing that can be wrong is named, and is what makes its exit code 1."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from silkroom.config.cli import doctor
from silkroom.config.cli.doctor import Finding, examine
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
