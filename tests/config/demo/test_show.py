"""The generated show: what is on, what the clocks say, and that it lives."""

import av
import pytest
from PIL import Image, ImageChops, ImageStat

from silkroom.config.demo import show
from silkroom.config.demo.brand import STYLES
from silkroom.config.demo.clock_strip import read_strip
from silkroom.config.demo.drawing import letters
from silkroom.config.demo.encoding import PictureEncoder
from silkroom.config.demo.show import Planes, Scene, ShowSource, Stand, planes_of, yuv

START = 1_790_000_000_000
BY_DRAWING = {style.drawing: index for index, style in enumerate(STYLES)}


@pytest.fixture(scope="module")
def camisole() -> Stand:
    return Stand(STYLES[BY_DRAWING["camisole"]])


def difference(one: Image.Image, other: Image.Image) -> float:
    return ImageStat.Stat(ImageChops.difference(one, other)).mean[0]


@pytest.mark.parametrize("colour", [(0, 0, 0), (255, 255, 255), (142, 31, 48), (20, 160, 90)])
def test_own_conversion_of_colours_is_that_of_the_encoder(colour: tuple[int, int, int]) -> None:
    planes = planes_of(Image.new("RGB", (16, 16), colour))
    got = [plane.getpixel((4, 4)) for plane in (planes.y, planes.u, planes.v)]
    assert all(abs(a - b) <= 1 for a, b in zip(got, yuv(colour), strict=True))


def test_garment_sways_and_light_moves(camisole: Stand) -> None:
    scene = Scene(camisole, camisole.style.colours[0])
    first, later = scene.planes(2.0), scene.planes(3.6)
    middle = (200, 300, 560, 800)
    assert difference(first.y.crop(middle), later.y.crop(middle)) > 4
    assert (first.y.size, first.u.size, first.v.size) == ((720, 1280), (360, 640), (360, 640))


def test_same_moment_gives_the_same_picture(camisole: Stand) -> None:
    pictures = [Scene(camisole, camisole.style.colours[1]).planes(5.0) for _ in range(2)]
    assert pictures[0].y.tobytes() == pictures[1].y.tobytes()
    assert pictures[0].u.tobytes() == pictures[1].u.tobytes()


def test_colourways_differ_in_colour(camisole: Stand) -> None:
    one, other = (
        Scene(camisole, colour).planes(4.0) for colour in (camisole.style.colours[0], camisole.style.colours[2])
    )
    middle = (120, 160, 260, 380)
    assert difference(one.u.crop(middle), other.u.crop(middle)) > 5


def test_scene_changes_when_asked_and_fades() -> None:
    source = ShowSource(first=BY_DRAWING["camisole"])
    try:
        before = source.frame(START)
        source.scene(BY_DRAWING["skirt"])
        source.settle()
        fading = source.frame(START + 40)
        after = source.frame(START + 2000)
        assert source.style.drawing == "skirt"
        upper = (100, 300, 620, 900)
        assert difference(before.y.crop(upper), fading.y.crop(upper)) < 5
        assert difference(before.y.crop(upper), after.y.crop(upper)) > 8
    finally:
        source.close()


def test_the_same_scene_asked_again_changes_nothing() -> None:
    source = ShowSource(first=BY_DRAWING["camisole"])
    try:
        source.frame(START)
        source.scene(BY_DRAWING["camisole"])
        assert source._coming is None
    finally:
        source.close()


def test_colourways_follow_each_other() -> None:
    source = ShowSource(first=BY_DRAWING["camisole"])
    try:
        source.frame(START)
        source.frame(START + round(show.COLOUR_SECONDS * 1000) + 40)
        source.settle()
        source.frame(START + round(show.COLOUR_SECONDS * 1000) + 80)
        assert source._on.colour == STYLES[BY_DRAWING["camisole"]].colours[1]
    finally:
        source.close()


def test_encoded_show_decodes_to_the_right_clock() -> None:
    source = ShowSource(first=BY_DRAWING["camisole"])
    encoder = PictureEncoder(*show.SIZE, show.FPS)
    decoder = av.CodecContext.create("h264", "r")
    decoder.extradata = encoder.config.description
    read, sizes = [], 0
    try:
        for number in range(50):
            chunks = encoder.encode_planes(source.frame(START + number * 40), number * 40_000)
            assert len(chunks) == 1, "nothing waits in the encoder"
            sizes += len(chunks[0].payload)
            packet = av.Packet(chunks[0].payload)
            packet.pts = number
            read.extend(read_strip(luma_of(frame)) for frame in decoder.decode(packet))
        read.extend(read_strip(luma_of(frame)) for frame in decoder.decode(None))
    finally:
        source.close()
    assert read == [START + number * 40 for number in range(50)]
    assert sizes * 8 / 2 < 2_000_000, "about one megabit a second"


def luma_of(frame: av.VideoFrame) -> Image.Image:
    plane = frame.planes[0]
    return Image.frombytes("L", (plane.width, plane.height), bytes(plane), "raw", "L", plane.line_size)


def test_without_a_chinese_font_the_caption_is_english(monkeypatch: pytest.MonkeyPatch, camisole: Stand) -> None:
    """The machine without fonts: the outside, so it may be played."""
    monkeypatch.setattr(letters, "chinese", lambda size: None)
    scene = Scene(camisole, camisole.style.colours[0])
    planes = scene.planes(3.0)
    assert isinstance(planes, Planes)
    assert scene._caption.width > 100
