"""The brand of the demo: 浅汀 Qianting, an invented silk house in Suzhou, all of its goods and people as plain data.

Every name is made up. Measures are millimetres of the finished garment, prices fen with tax. Numbers on the goods are
real in form: EAN-13 from the range for use inside a shop (prefix 20, GS1 General Specifications 2.1.11), sizes by
GB/T 1335.2, safety class by GB 18401, care by ISO 3758 / GB/T 8685.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from stdnum import ean

CURRENCY = "CNY"


@dataclass(frozen=True)
class Words:
    """One text in both languages of the house."""

    zh: str
    en: str


@dataclass(frozen=True)
class Place:
    code: str
    kind: str
    name: Words
    address: Words


@dataclass(frozen=True)
class Staff:
    key: str
    role: str
    name: str
    email: str


@dataclass(frozen=True)
class Brand:
    code: str
    name: Words
    claim: Words
    region: str
    accent: str
    places: tuple[Place, ...]
    staff: tuple[Staff, ...]


@dataclass(frozen=True)
class Colour:
    """A colourway: ``hex`` of the cloth; ``trim``, ``deep`` and ``accent`` where a second colour is sewn or printed
    on."""

    code: str
    name: Words
    hex: str
    trim: str = "#e9dfc9"
    deep: str = "#23404a"
    accent: str = "#c2553d"


@dataclass(frozen=True)
class Size:
    code: str
    body: str
    """Height and girth of the body it is cut for, GB/T 1335.2."""


@dataclass(frozen=True)
class Fibre:
    code: str
    name: Words
    percent: int
    part: Words = field(default=Words("面料", "shell"))


@dataclass(frozen=True)
class FibreLabel:
    fibres: tuple[Fibre, ...]
    momme: int
    safety: str
    """Class of GB 18401: B, for what touches the skin."""
    standard: str
    care: tuple[str, ...]
    """Names of the symbols of ISO 3758, as the catalog knows them."""
    origin: Words = field(default=Words("中国苏州", "Suzhou, China"))


@dataclass(frozen=True)
class Style:
    number: int
    code: str
    drawing: str
    finish: str
    name: Words
    description: Words
    colours: tuple[Colour, ...]
    sizes: tuple[Size, ...]
    price_fen: int
    deal_fen: int
    chart: dict[str, dict[str, int]]
    """Size code to measure name (bust, waist, hip, length, shoulder, sleeve, inseam, width) to millimetres."""
    label: FibreLabel
    category: str
    stock: tuple[int, int]
    """Pieces of one variant at the opening: warehouse, store."""

    def variants(self) -> list[Variant]:
        """Every colour in every size, colours first."""
        made = []
        for colour_index, colour in enumerate(self.colours):
            for size_index, size in enumerate(self.sizes):
                body = f"20{BRAND_NUMBER:04d}{self.number:02d}{colour_index + 1:02d}{size_index + 1:02d}"
                # A SKU has Latin letters only; the one size is called by Chinese ones.
                sku = f"{self.code}-{colour.code}-{size.code if size.code.isascii() else 'OS'}"
                made.append(Variant(self, colour, size, sku, body + ean.calc_check_digit(body)))
        return made

    def opening_stock(self, colour_index: int, size_index: int) -> tuple[int, int]:
        """Pieces at the opening (warehouse, store): most in the middle sizes, a few colours nearly gone."""
        middle = (len(self.sizes) - 1) / 2
        share = 1.0 - 0.24 * abs(size_index - middle)
        scarce = 0.35 if (self.number + colour_index) % 4 == 3 else 1.0
        warehouse, store = self.stock
        return (max(3, round(warehouse * share * scarce)), max(1, round(store * share)))


@dataclass(frozen=True)
class Variant:
    style: Style
    colour: Colour
    size: Size
    sku: str
    ean: str


BRAND_NUMBER = 2618

BRAND = Brand(
    code="qianting",
    name=Words("浅汀", "Qianting"),
    claim=Words("水边的丝，日常的光。", "Silk from the water's edge, light for every day."),
    region="320509",
    accent="#2f5d62",
    places=(
        Place(
            "workshop",
            "workshop",
            Words("桑田坊", "Mulberry Workshop"),
            Words("苏州市吴江区桑田路 18 号（虚构）", "18 Sangtian Road, Suzhou (invented)"),
        ),
        Place(
            "warehouse",
            "warehouse",
            Words("平湾仓", "Pingwan Warehouse"),
            Words("苏州市吴江区平湾路 6 号（虚构）", "6 Pingwan Road, Suzhou (invented)"),
        ),
        Place(
            "store",
            "store",
            Words("河沿店", "Riverside Store"),
            Words("苏州市姑苏区河沿街 27 号（虚构）", "27 Heyan Street, Suzhou (invented)"),
        ),
    ),
    staff=(
        Staff("owner", "owner", "岑柚", "owner@qianting.example"),
        Staff("host", "host", "闻溪", "host@qianting.example"),
        Staff("assistant", "assistant", "陆拾音", "assistant@qianting.example"),
        Staff("warehouse", "warehouse", "顾桑", "warehouse@qianting.example"),
        Staff("clerk", "clerk", "白芷然", "clerk@qianting.example"),
    ),
)

OPERATOR = Staff("operator", "operator", "值守 Operator", "operator@qianting.example")
"""Who may open the admin pages; works for the installation, not for the shop."""

LOGINS = (*(one.email for one in BRAND.staff), OPERATOR.email)

_ORDER = ("XS", "S", "M", "L", "XL", "XXL")
_TOPS = {"XS": "150/76A", "S": "155/80A", "M": "160/84A", "L": "165/88A", "XL": "170/92A", "XXL": "175/96A"}
_BOTTOMS = {"XS": "150/60A", "S": "155/64A", "M": "160/68A", "L": "165/72A", "XL": "170/76A", "XXL": "175/80A"}

_GRADE = {"bust": 40, "waist": 40, "hip": 40, "length": 15, "shoulder": 10, "sleeve": 10, "inseam": 12, "width": 0}
"""Millimetres that one size adds: the step of GB/T 1335.2 for girths, usual workshop steps for the rest."""


def _sizes(first: str, last: str, bodies: dict[str, str]) -> tuple[Size, ...]:
    codes = _ORDER[_ORDER.index(first) : _ORDER.index(last) + 1]
    return tuple(Size(code, bodies[code]) for code in codes)


def _chart(sizes: tuple[Size, ...], **middle: int) -> dict[str, dict[str, int]]:
    """Chart of all sizes from the measures of size M."""
    return {
        size.code: {
            measure: value + _GRADE[measure] * (_ORDER.index(size.code) - _ORDER.index("M"))
            for measure, value in middle.items()
        }
        for size in sizes
    }


_SILK = Words("桑蚕丝", "mulberry silk")
_CARE = ("wash-hand", "bleach-no", "tumble-no", "dry-line-shade", "iron-110", "clean-p-mild")


def _silk_label(momme: int, standard: str = "GB/T 18132", fibres: tuple[Fibre, ...] | None = None) -> FibreLabel:
    return FibreLabel(fibres or (Fibre("mulberry_silk", _SILK, 100),), momme, "B", standard, _CARE)


_S_XL = _sizes("S", "XL", _TOPS)
_XS_XXL = _sizes("XS", "XXL", _TOPS)
_BOTTOM_S_XL = _sizes("S", "XL", _BOTTOMS)
_ONE = (Size("均码", "90 × 90 cm"),)

STYLES: tuple[Style, ...] = (
    Style(
        1,
        "QT01",
        "slip_dress",
        "charmeuse",
        Words("汀月斜裁吊带裙", "Moonshore Bias Slip Dress"),
        Words(
            "22 姆米素绉缎，整幅斜裁，顺着身体自己垂下去。领口三道垂褶，转身时光从肩流到裙摆。肩带可调，"
            "里外都用法式包缝。",
            "22 momme charmeuse cut on the bias from one width, so it finds its own fall. Three soft cowls at the "
            "neck; light runs from shoulder to hem as you turn. Adjustable straps, French seams inside and out.",
        ),
        (
            Colour("LT", Words("藕粉", "Lotus Root"), "#b98478"),
            Colour("YB", Words("月白", "Moon White"), "#d3dade"),
            Colour("MQ", Words("墨青", "Ink Teal"), "#1f4a50"),
            Colour("SZ", Words("酸枝", "Rosewood"), "#6d2730"),
        ),
        _S_XL,
        128000,
        99800,
        _chart(_S_XL, bust=880, waist=760, hip=960, length=1230),
        _silk_label(22),
        "dress",
        (26, 3),
    ),
    Style(
        2,
        "QT02",
        "shirt",
        "crepe",
        Words("素渡真丝衬衫", "Sudu Silk Shirt"),
        Words(
            "18 姆米双绉，微微的颗粒感不显汗。肩线放宽一指，单穿像外套，掖进裤腰又利落。天然贝壳扣。",
            "18 momme crêpe de Chine with a fine grain that stays calm in summer. Shoulders a finger wider: an "
            "overshirt when open, sharp when tucked in. Buttons of real shell.",
        ),
        (
            Colour("MB", Words("米白", "Rice White"), "#ebe3d3", trim="#d8c9ae"),
            Colour("TQ", Words("天青", "Sky After Rain"), "#a9bfc4", trim="#e9e4d8"),
            Colour("YH", Words("烟灰", "Smoke"), "#8b8a8c", trim="#d9d4cb"),
            Colour("XB", Words("玄黑", "Lacquer Black"), "#26262b", trim="#4a4648"),
        ),
        _XS_XXL,
        89000,
        69800,
        _chart(_XS_XXL, bust=1060, length=720, shoulder=430, sleeve=590),
        _silk_label(18),
        "shirt",
        (22, 3),
    ),
    Style(
        3,
        "QT03",
        "qipao",
        "charmeuse",
        Words("梨影改良旗袍裙", "Pear Shadow Qipao Dress"),
        Words(
            "25 姆米重缎，立领收低一公分，坐着吃饭也自在。斜襟三颗手工盘扣，香槟色滚边，侧衩到膝上。",
            "25 momme heavy satin. The stand collar sits one centimetre lower, so dinner is comfortable. Three "
            "hand-tied knots along the slanted opening, champagne piping, side slits to above the knee.",
        ),
        (
            Colour("ZH", Words("枣红", "Jujube"), "#8e1f30", trim="#d9b77c"),
            Colour("CL", Words("苍绿", "Pine"), "#2d5745", trim="#d8c69a"),
            Colour("YL", Words("月蓝", "Night Blue"), "#2d3f6b", trim="#cfc7b4"),
        ),
        _S_XL,
        156000,
        128000,
        _chart(_S_XL, bust=900, waist=740, hip=960, length=1180, shoulder=370),
        _silk_label(25),
        "dress",
        (18, 2),
    ),
    Style(
        4,
        "QT04",
        "scarf",
        "twill",
        Words("浅汀鹭影方巾", "Heron at the Shore Scarf"),
        Words(
            "16 姆米斜纹绸，90 厘米见方，四边手工卷边。月亮、芦苇和一只站着发呆的白鹭，是我们画给水边的一封信。",
            "16 momme twill, 90 cm square, edges rolled by hand. A moon, some reeds and a heron lost in thought: a "
            "letter to the waterside.",
        ),
        (
            Colour("WU", Words("雾蓝", "Mist Blue"), "#9db6ba", trim="#ece3cd", deep="#1f4049", accent="#c2502f"),
            Colour("XZ", Words("杏子", "Apricot"), "#e0b98c", trim="#f3ead8", deep="#5b2b33", accent="#b5452f"),
            Colour("DZ", Words("黛紫", "Dusk Violet"), "#a99bb8", trim="#efe6dc", deep="#2f2a4a", accent="#d98a4e"),
        ),
        _ONE,
        39900,
        29900,
        {"均码": {"length": 900, "width": 900}},
        _silk_label(16, "FZ/T 43014"),
        "scarf",
        (60, 8),
    ),
    Style(
        5,
        "QT05",
        "pyjamas",
        "crepe",
        Words("眠云睡衣套装", "Cloud Sleep Pyjama Set"),
        Words(
            "19 姆米弹力缎，95% "
            "桑蚕丝加一点氨纶，翻身不绷。撞色嵌边，裤腰是可换的松紧。放进洗衣袋可机洗轻柔档的，我们还是建议手洗。",
            "19 momme stretch satin, 95% mulberry silk with a little elastane, so turning over never pulls. "
            "Contrast piping, a waistband you can renew. It would survive a gentle machine cycle in a bag; we still"
            " "
            "advise washing by hand.",
        ),
        (
            Colour("BH", Words("薄荷", "Mint"), "#8fa79c", trim="#f2ecdd"),
            Colour("XF", Words("香粉", "Powder"), "#d8b3ae", trim="#f6efe6"),
            Colour("YQ", Words("夜青", "Night Teal"), "#24474f", trim="#d9cdb2"),
            Colour("ZZ", Words("珍珠", "Pearl"), "#e2dbd0", trim="#8a6d5a"),
        ),
        _S_XL,
        139000,
        109000,
        _chart(_S_XL, bust=1040, hip=1020, length=700, shoulder=420, sleeve=560, inseam=720),
        _silk_label(19, fibres=(Fibre("mulberry_silk", _SILK, 95), Fibre("elastane", Words("氨纶", "elastane"), 5))),
        "sleepwear",
        (24, 3),
    ),
    Style(
        6,
        "QT06",
        "camisole",
        "charmeuse",
        Words("细汀吊带背心", "Fine Shore Camisole"),
        Words(
            "19 姆米素绉缎，V 领滚细边，下摆略收。里面穿着贴肤，外面搭西装也站得住。",
            "19 momme charmeuse, a V neck with a narrow bound edge, a hem that comes in a little. Soft against the "
            "skin, good enough to be seen under a jacket.",
        ),
        (
            Colour("XB", Words("香槟", "Champagne"), "#d6c3a2"),
            Colour("QH", Words("浅灰", "Pebble"), "#b5b3b0"),
            Colour("XQ", Words("雪青", "Wisteria"), "#a79bb5"),
            Colour("XH", Words("玄黑", "Lacquer Black"), "#242428"),
        ),
        _S_XL,
        46000,
        35900,
        _chart(_S_XL, bust=880, length=580),
        _silk_label(19),
        "top",
        (30, 4),
    ),
    Style(
        7,
        "QT07",
        "trousers",
        "crepe",
        Words("行川阔腿裤", "River Walk Wide Trousers"),
        Words(
            "30 姆米重磅双绉，走路有风，坐下不皱。高腰，前片一道活褶，内藏系带，裤脚可以按身高改短。",
            "30 momme crêpe: air when you walk, no creases when you sit. High waist, one open pleat, a hidden tie; "
            "hems can be shortened to your height.",
        ),
        (
            Colour("ZQ", Words("藏青", "Navy"), "#2b3655"),
            Colour("TH", Words("驼灰", "Camel Grey"), "#a08d78"),
            Colour("MB", Words("米白", "Rice White"), "#e6dccb"),
        ),
        _BOTTOM_S_XL,
        98000,
        78000,
        _chart(_BOTTOM_S_XL, waist=700, hip=980, length=1050, inseam=740),
        _silk_label(30),
        "trousers",
        (22, 3),
    ),
    Style(
        8,
        "QT08",
        "robe",
        "charmeuse",
        Words("晨露系带晨袍", "Morning Dew Robe"),
        Words(
            "22 姆米素绉缎，宽袖，撞色领襟和腰带，两侧暗袋。酒店太冷的时候，它比外套好用。",
            "22 momme charmeuse, wide sleeves, contrast band and sash, pockets in both side seams. When the hotel "
            "is too cold it beats a coat.",
        ),
        (
            Colour("YL", Words("远蓝", "Far Blue"), "#5b7196", trim="#e6d9bd"),
            Colour("HT", Words("海棠", "Crab Apple"), "#b5616a", trim="#f0e2d6"),
            Colour("XY", Words("鸦青", "Raven"), "#2b3a42", trim="#b9a27c"),
        ),
        _sizes("S", "L", _TOPS),
        148000,
        118000,
        _chart(_sizes("S", "L", _TOPS), bust=1160, length=1150, shoulder=460, sleeve=480),
        _silk_label(22),
        "robe",
        (20, 2),
    ),
    Style(
        9,
        "QT09",
        "blouse",
        "crepe",
        Words("临风飘带上衣", "Windward Bow Blouse"),
        Words(
            "16 姆米双绉，长飘带可以打结、可以垂着、也可以绕一圈。泡泡袖用抽褶不用衬，洗完一抖就回来。",
            "16 momme crêpe. Tie the long bow, let it hang, or wind it once around. Sleeves are gathered, not "
            "stiffened: shake them after washing and they are back.",
        ),
        (
            Colour("DX", Words("丁香", "Lilac"), "#c6b4c6"),
            Colour("MG", Words("蜜光", "Honey Light"), "#d9b070"),
            Colour("YB", Words("月白", "Moon White"), "#d9dee0"),
            Colour("SL", Words("山岚", "Hill Haze"), "#7f9a96"),
        ),
        _S_XL,
        79000,
        62800,
        _chart(_S_XL, bust=1000, length=630, shoulder=390, sleeve=600),
        _silk_label(16),
        "shirt",
        (24, 3),
    ),
    Style(
        10,
        "QT10",
        "skirt",
        "charmeuse",
        Words("半塘缎面半裙", "Half Pond Satin Skirt"),
        Words(
            "25 姆米重缎，八分斜裁，腰头平整后腰藏松紧。走一步亮一下，是店里试穿率最高的一条。",
            "25 momme heavy satin, cut almost on the bias; flat waistband in front, hidden elastic behind. It "
            "flashes with every step, and is the piece most often tried on in our store.",
        ),
        (
            Colour("SL", Words("松绿", "Spruce"), "#2f5b4b"),
            Colour("TB", Words("陶杯", "Terracotta"), "#a9543b"),
            Colour("YH", Words("银灰", "Silver"), "#b9bcc0"),
            Colour("QJ", Words("秋金", "Autumn Gold"), "#b98a3e"),
        ),
        _BOTTOM_S_XL,
        86000,
        66000,
        _chart(_BOTTOM_S_XL, waist=680, hip=980, length=820),
        _silk_label(25),
        "skirt",
        (24, 3),
    ),
)


@dataclass(frozen=True)
class Deal:
    """A prepared offer of the show: live price of one style, so many pieces, so long."""

    style: str
    pieces: int
    per_person: int
    seconds: int


DEALS: tuple[Deal, ...] = (
    Deal("QT01", 30, 2, 90),
    Deal("QT04", 40, 2, 75),
    Deal("QT10", 24, 1, 90),
    Deal("QT06", 36, 3, 75),
    Deal("QT09", 24, 2, 90),
)

SHOW_TITLE = Words("浅汀夜场：水边的丝", "Qianting Evening: Silk from the Water's Edge")
