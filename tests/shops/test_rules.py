"""Addresses of shops, tasks of roles, and the regions of GB/T 2260."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from silkroom.shops.labels import PLACE_KIND_NAMES, ROLE_NAMES, ROLE_TASKS
from silkroom.shops.regions import find_region, provinces, regions_in, search_regions
from silkroom.shops.rules import (
    LONGEST_SLUG,
    RESERVED_SLUGS,
    ROLES_OF_TASK,
    Task,
    kind_that_sells_online,
    may_do,
    slug_candidates,
    slug_of,
)
from silkroom.shops.states import PlaceKind, Role


@pytest.mark.parametrize(
    ("names", "slug"),
    [
        (("Cloud Silk", ""), "cloud-silk"),
        (("", "Silk & Söhne"), "silk-sohne"),
        (("云裳丝绸",), ""),
        (("云裳 A",), ""),
        (("", "云裳"), ""),
        (("--Été--",), "ete"),
        (("x" * 60,), "x" * 40),
    ],
)
def test_an_address_comes_from_a_name_that_can_be_written(names: tuple[str, ...], slug: str) -> None:
    assert slug_of(*names) == slug


@given(st.text(max_size=80), st.text(alphabet="23456789ABCDEFGH", min_size=8, max_size=8))
def test_every_address_tried_can_stand_in_a_url_and_is_not_reserved(name: str, spare: str) -> None:
    candidates = list(slug_candidates(slug_of(name), spare))
    assert candidates
    for slug in candidates:
        assert re.fullmatch(r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?", slug), slug
        assert len(slug) <= LONGEST_SLUG
        assert slug not in RESERVED_SLUGS
    assert len(set(candidates)) == len(candidates)


def test_a_reserved_word_gets_a_tail() -> None:
    assert list(slug_candidates("open", "ABCD2345")) == ["open-abcd2345"]
    assert list(slug_candidates("", "ABCD2345")) == ["shop-abcd2345"]


def test_who_does_what() -> None:
    allowed = {role: {task for task in Task if may_do(role, task)} for role in Role}
    assert allowed == {
        Role.OWNER: set(Task),
        Role.HOST: {Task.LOOK, Task.SHOWS},
        Role.ASSISTANT: {Task.LOOK, Task.STYLES, Task.ORDERS, Task.SHOWS},
        Role.WAREHOUSE: {Task.LOOK, Task.STOCK, Task.COUNT, Task.ORDERS},
        Role.CLERK: {Task.LOOK, Task.STOCK, Task.ORDERS, Task.REFUNDS, Task.TILL},
    }
    assert set(ROLES_OF_TASK) == set(Task)


def test_every_role_and_kind_has_words() -> None:
    assert set(ROLE_NAMES) == set(ROLE_TASKS) == set(Role)
    assert set(PLACE_KIND_NAMES) == set(PlaceKind)


def test_online_sells_from_the_warehouse_first() -> None:
    assert kind_that_sells_online([PlaceKind.STORE, PlaceKind.WAREHOUSE]) is PlaceKind.WAREHOUSE
    assert kind_that_sells_online([PlaceKind.WORKSHOP, PlaceKind.STORE]) is PlaceKind.STORE
    assert kind_that_sells_online([PlaceKind.WORKSHOP]) is PlaceKind.WORKSHOP
    assert kind_that_sells_online([]) is None


def test_all_provinces_have_regions_and_both_names() -> None:
    found = provinces()
    assert len(found) == 34
    assert all(one.name and one.name_en for one in found)
    assert all(regions_in(one.code) for one in found)
    assert sum(len(regions_in(one.code)) for one in found) > 2_800


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("330106", "浙江省杭州市西湖区"),
        ("110101", "北京市东城区"),
        ("500101", "重庆市万州区"),
        ("441900", "广东省东莞市"),
        ("429004", "湖北省仙桃市"),
        ("810000", "香港特别行政区"),
        ("130502", "河北省邢台市襄都区"),
    ],
)
def test_codes_name_what_exists_today(code: str, name: str) -> None:
    region = find_region(code)
    assert region is not None
    assert region.full_name == name


@pytest.mark.parametrize("code", ["330103", "330100", "330000", "110100", "999999", "", "33010", "3301066", "abcdef"])
def test_dissolved_coarse_and_invented_codes_are_no_regions(code: str) -> None:
    assert find_region(code) is None


def test_every_region_is_named_and_finds_itself() -> None:
    for province in provinces():
        for region in regions_in(province.code):
            assert region.code.startswith(province.code)
            assert len(region.code) == 6
            assert region.name
            assert "[" not in region.full_name
            assert find_region(region.code) is region


def test_search_by_name_code_and_english_province() -> None:
    assert [one.code for one in search_regions("杭州 西湖")] == ["330106"]
    assert [one.code for one in search_regions("330106")] == ["330106"]
    assert {one.province for one in search_regions("zhejiang", limit=500)} == {"浙江省"}
    assert search_regions("  ") == []
    assert len(search_regions("区", limit=7)) == 7
