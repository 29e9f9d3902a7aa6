"""Administrative divisions of GB/T 2260, as python-stdnum carries them (``stdnum/cn/loc.dat``), those that exist today.

Codes have six digits: province (2), prefecture (2), county (2). A shop lies in a county, or in a prefecture or province
without counties (such as 441900 Dongguan, 810000 Hong Kong). Names are Chinese; provinces have an English name too.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from functools import cache

from stdnum import numdb

ENGLISH = {
    "11": "Beijing", "12": "Tianjin", "13": "Hebei", "14": "Shanxi", "15": "Inner Mongolia", "21": "Liaoning",
    "22": "Jilin", "23": "Heilongjiang", "31": "Shanghai", "32": "Jiangsu", "33": "Zhejiang", "34": "Anhui",
    "35": "Fujian", "36": "Jiangxi", "37": "Shandong", "41": "Henan", "42": "Hubei", "43": "Hunan",
    "44": "Guangdong", "45": "Guangxi", "46": "Hainan", "50": "Chongqing", "51": "Sichuan", "52": "Guizhou",
    "53": "Yunnan", "54": "Tibet", "61": "Shaanxi", "62": "Gansu", "63": "Qinghai", "64": "Ningxia",
    "65": "Xinjiang", "71": "Taiwan", "81": "Hong Kong", "82": "Macao",
}  # fmt: skip

_GROUPING = {
    "市辖区", "县", "市", "市区",
    "省直辖县级行政单位", "省直辖县级行政区划", "自治区直辖县级行政单位", "自治区直辖县级行政区划",
}  # fmt: skip
"""Names of rows that only group others."""

_SPAN = re.compile(r"\[(\d*)-(\d*)\](.*)")


@dataclass(frozen=True)
class Region:
    """A division that a shop can lie in. ``group`` is its prefecture's name; empty under a municipality."""

    code: str
    name: str
    group: str
    province_code: str
    province: str

    @property
    def full_name(self) -> str:
        """From large to small, as addresses are written in Chinese."""
        parts = [self.province, self.group, self.name]
        return "".join(part for index, part in enumerate(parts) if part and part not in parts[:index])


@dataclass(frozen=True)
class Province:
    """A province, municipality, autonomous or special administrative region; ``code`` has two digits."""

    code: str
    name: str
    name_en: str


def _name_today(spans: str) -> str | None:
    """Of "[1983-2019]桥东区,[2020-]襄都区" the name without an end; None if the division was dissolved."""
    for part in reversed(spans.split(",")):
        span = _SPAN.fullmatch(part)
        if span is None:
            return part
        if span[2] == "":
            return span[3]
    return None


@cache
def _read() -> tuple[tuple[Province, ...], dict[str, Region]]:
    provinces: list[Province] = []
    regions: dict[str, Region] = {}
    for _, province_code, _, properties, children in numdb.get("cn/loc").prefixes:
        names = {low: _name_today(found["county"]) for _, low, _, found, _ in children}
        # The province's own row is in simplified characters throughout, its heading is not.
        province = names.get("0000") or properties["province"]
        provinces.append(Province(province_code, province, ENGLISH[province_code]))
        regions.update(_regions_of(province_code, province, {low: name for low, name in names.items() if name}))
    return tuple(provinces), regions


def _regions_of(province_code: str, province: str, names: dict[str, str]) -> dict[str, Region]:
    counties: dict[str, list[str]] = defaultdict(list)
    for low, name in names.items():
        if not low.endswith("00") and name not in _GROUPING:
            counties[low[:2]].append(low)
    found: dict[str, Region] = {}
    for low, name in names.items():
        prefecture = names.get(low[:2] + "00", "")
        group = "" if prefecture in _GROUPING else prefecture
        is_county = not low.endswith("00") and name not in _GROUPING
        is_childless = low.endswith("00") and not counties[low[:2]] and (low != "0000" or len(names) == 1)
        if is_county or (is_childless and name not in _GROUPING):
            found[province_code + low] = Region(province_code + low, name, group, province_code, province)
    return found


def provinces() -> tuple[Province, ...]:
    """All 34, in the order of their codes."""
    return _read()[0]


def find_region(code: str) -> Region | None:
    """The region with this code, if a shop can lie in it today."""
    return _read()[1].get(code)


def regions_in(province_code: str) -> list[Region]:
    """The regions of a province, in the order of their codes, so that prefectures stay together."""
    return [region for code, region in _read()[1].items() if region.province_code == province_code]


def search_regions(words: str, *, limit: int = 20) -> list[Region]:
    """Regions whose code starts with ``words`` or whose full name holds each of them (Chinese, or English province)."""
    parts = words.casefold().split()
    if not parts:
        return []
    found: list[Region] = []
    for code, region in _read()[1].items():
        text = f"{region.full_name} {ENGLISH[region.province_code]}".casefold()
        if all(code.startswith(part) or part in text for part in parts):
            found.append(region)
            if len(found) == limit:
                break
    return found
