"""A house whose owner is signed in, with files of its own."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from tests.house import House, make_house, signed_in


@pytest.fixture(autouse=True)
def own_storage(settings: Any, tmp_path: Path) -> Path:
    settings.ENVIRONMENT = replace(settings.ENVIRONMENT, storage_url=str(tmp_path))
    return tmp_path


@pytest.fixture
def house() -> House:
    return make_house()


@pytest.fixture
def owner(house: House) -> Client:
    return signed_in(house.owner)
