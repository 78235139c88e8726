"""The map between photo and crop: against pictures of which every value is known."""

import cv2
import numpy as np
import pytest

from photodrag.pipeline.faces.align import Alignment
from photodrag.pipeline.faces.resample import remapped, warp


def square(x: float, y: float, half: float, turn: float = 0.0, size: int = 1024) -> Alignment:
    """A square around (x, y) with sides of 2 · half px, turned clockwise by `turn` radians."""
    right = half * np.array([np.cos(turn), np.sin(turn)])
    down = half * np.array([-np.sin(turn), np.cos(turn)])
    centre = np.array([x, y])
    return Alignment(
        np.array([centre - right - down, centre - right + down, centre + right + down, centre + right - down]), size
    )


def dot(x: float, y: float, side: int, sigma: float) -> np.ndarray:
    """float32 [side, side]: a soft dot whose centre of mass is (x, y)."""
    along = np.arange(side)
    return np.outer(np.exp(-((along - y) ** 2) / 2 / sigma**2), np.exp(-((along - x) ** 2) / 2 / sigma**2)).astype("f4")


def centre_of_mass(picture: np.ndarray) -> np.ndarray:
    y, x = np.mgrid[: picture.shape[0], : picture.shape[1]]
    return np.array([(x * picture).sum(), (y * picture).sum()]) / picture.sum()


def waves(side: int, length: float) -> np.ndarray:
    """float64 [side, side, 3]: smooth waves between 7 and 247."""
    x = np.arange(side) * 2 * np.pi / length
    picture = 127 + 60 * np.sin(x) + 60 * np.cos(1.3 * x + 1)[:, None]
    return np.stack([picture, picture[::-1], picture.T], axis=2)


CASES = [(60, 0.0), (60, 0.3), (120, -2.1), (512, 0.0), (512, 0.3), (700, 3.0), (1200, 0.3)]


@pytest.mark.parametrize("half, turn", CASES)
def test_points_return(half, turn):
    alignment = square(412.3, 530.8, half, turn)
    points = np.random.default_rng(0).uniform(-1000, 5000, (100, 3, 2))
    assert np.abs(alignment.to_photo(alignment.to_crop(points)) - points).max() < 1e-9
    assert np.abs(alignment.to_crop(alignment.to_photo(points)) - points).max() < 1e-9
    assert alignment.scale == pytest.approx(512 / half)


def test_corners_of_the_quad_are_the_outer_corners_of_the_crop():
    alignment = square(300, 200, 120, 0.3, size=256)
    corners = [[-0.5, -0.5], [-0.5, 255.5], [255.5, 255.5], [255.5, -0.5]]
    assert np.abs(alignment.to_crop(alignment.quad) - corners).max() < 1e-9


def test_ffhqs_own_code_gives_the_same_quad():
    """The lines of download_ffhq.py, on landmarks of a tilted face."""
    landmarks = np.random.default_rng(1).uniform(100, 300, (68, 2))
    landmarks[36:42], landmarks[42:48] = (130, 180) + landmarks[36:42] / 20, (200, 160) + landmarks[42:48] / 20
    landmarks[48], landmarks[54] = (160, 260), (210, 250)
    eye_left, eye_right = np.mean(landmarks[36:42], axis=0), np.mean(landmarks[42:48], axis=0)
    eye_avg, eye_to_eye = (eye_left + eye_right) * 0.5, eye_right - eye_left
    eye_to_mouth = (landmarks[48] + landmarks[54]) * 0.5 - eye_avg
    x = eye_to_eye - np.flipud(eye_to_mouth) * [-1, 1]
    x /= np.hypot(*x)
    x *= max(np.hypot(*eye_to_eye) * 2.0, np.hypot(*eye_to_mouth) * 1.8)
    y = np.flipud(x) * [-1, 1]
    c = eye_avg + eye_to_mouth * 0.1
    quad = np.stack([c - x - y, c - x + y, c + x + y, c + x - y])
    assert np.abs(Alignment.from_landmarks(landmarks).quad - quad).max() < 1e-9


@pytest.mark.parametrize("half, turn", CASES)
def test_a_dot_is_found_where_the_map_says(half, turn):
    side = int(3.2 * half)
    alignment = square(side / 2 + 0.3, side / 2 - 0.2, half, turn)
    x, y = 0.45 * side + 0.37, 0.55 * side + 0.21
    seen = centre_of_mass(alignment.crop(dot(x, y, side, half / 50 + 1)))
    assert np.abs(seen - alignment.to_crop([x, y])).max() < 0.01

    u, v = 400.3, 617.8
    region = alignment.paste_region((side, side))
    back = alignment.to_region(dot(u, v, 1024, max(8, 2 * alignment.scale)), region)
    assert np.abs(centre_of_mass(back) + region[:2] - alignment.to_photo([u, v])).max() < 0.01


@pytest.mark.parametrize("half, turn", CASES)
def test_crop_and_back_is_the_photo(half, turn):
    side = int(2.4 * half)
    photo = waves(side, half / 2)
    alignment = square(side / 2 + 0.3, side / 2 - 0.2, half, turn)
    region = x0, y0, x1, y1 = alignment.paste_region(photo.shape)
    back = alignment.to_region(alignment.crop(photo), region)
    interior = cv2.erode(np.pad(alignment.covered(region), 1).astype("u1"), np.ones((9, 9)))[1:-1, 1:-1] > 0
    assert interior.any()
    assert np.abs(back - photo[y0:y1, x0:x1])[interior].max() < 0.6


@pytest.mark.parametrize("half, turn", [(700, 0.0), (700, 0.3), (1024, 0.1), (1300, 0.0)])
def test_a_fine_pattern_becomes_its_mean(half, turn):
    checkerboard = (np.indices((2800, 2800)).sum(0) % 2 * 255).astype(np.uint8)
    crop = square(1400.3, 1400.2, half, turn, size=256).crop(checkerboard)
    assert abs(int(crop.min()) - 127.5) < 6 and abs(int(crop.max()) - 127.5) < 6


@pytest.mark.parametrize("x, y, half, turn", [(0, 0, 10, 0.3), (25, 20, 12, 0), (25, 20, 200, 0.3), (25, -60, 30, 1)])
def test_beyond_the_photo_it_is_mirrored(x, y, half, turn):
    rng = np.random.default_rng(0)
    photo = rng.integers(0, 255, (40, 50, 3), np.uint8)
    rows, columns = (np.abs((np.arange(-400, n + 400) + n - 1) % (2 * n - 2) - n + 1) for n in (40, 50))
    larger = photo[rows[:, None], columns]
    alignment = square(x, y, half, turn, size=128)
    assert np.abs(alignment.crop(photo).astype(int) - square(x + 400, y + 400, half, turn, 128).crop(larger)).max() <= 1

    white = np.zeros((840, 850), np.uint8)
    white[400:440, 400:450] = 255
    inside = square(x + 400, y + 400, half, turn, 128).crop(white)
    valid = alignment.inside(photo.shape)
    assert (valid[inside > 250]).all() and not valid[inside < 5].any()


def test_regions():
    alignment = square(10, 15, 20, 0.4, size=64)
    region = x0, y0, x1, y1 = alignment.paste_region((30, 40, 3))
    covered = np.zeros((30, 40), bool)
    covered[y0:y1, x0:x1] = alignment.covered(region)
    assert (covered == alignment.covered((0, 0, 40, 30))).all()

    values = np.random.default_rng(0).normal(size=(64, 64, 7))
    whole, part = alignment.to_region(values, region), alignment.to_region(values, (x0 + 3, y0 + 2, x0 + 9, y0 + 4))
    assert whole.shape == (y1 - y0, x1 - x0, 7) and whole.dtype == np.float32
    assert np.abs(whole[2:4, 3:9] - part).max() < 1e-4

    x0, y0, x1, y1 = square(-100, -100, 20).paste_region((30, 40))
    assert (x1 - x0) * (y1 - y0) == 0


def test_values_of_another_side_cover_the_same_crop():
    alignment = square(200.2, 199.7, 150, 0.3)
    region = alignment.paste_region((400, 400))
    fine = alignment.to_region(dot(400.5, 300.5, 1024, 40), region)
    coarse = alignment.to_region(dot((400.5 + 0.5) / 4 - 0.5, (300.5 + 0.5) / 4 - 0.5, 256, 10), region)
    assert np.abs(fine - coarse).max() < 0.01


def test_a_mask_remains_within_its_range():
    mask = np.zeros((1024, 1024), bool)
    mask[300:700, 200:800] = True
    for half in (60, 2000):
        pasted = square(half, half, half, 0.2).to_region(mask, (0, 0, 120, 120))
        assert pasted.min() >= 0 and pasted.max() <= 1


def test_a_box_is_held_whole():
    alignment = Alignment.from_box((10, 20, 30, 50), size=50)
    assert alignment.to_crop([[10, 20], [39, 69]]).tolist() == [[10, 0], [39, 49]]


def test_what_is_no_square():
    square_ = [[0, 0], [0, 1], [1, 1], [1, 0]]
    Alignment(square_)
    for quad in ([[0, 0], [0, 1], [2, 1], [2, 0]], [[0, 0], [1, 0], [1, 1], [0, 1]], [[0, 0]] * 4, square_[:3]):
        with pytest.raises(ValueError):
            Alignment(quad)
    with pytest.raises(ValueError):
        Alignment.from_landmarks(np.zeros((68, 2)))


@pytest.mark.parametrize("channels", range(1, 10))
def test_a_ramp_is_not_moved(channels):
    """Whatever lies beside it; OpenCV itself would round the place to 1/32 px, for some numbers of channels."""
    times = np.arange(1, channels + 1)
    picture = np.tile(np.arange(60)[:, None] * times, (60, 1, 1)).astype(float)
    y, x = np.mgrid[10:50, 10:50].astype(np.float32)
    for shift in np.linspace(0, 1, 9) + 0.01:
        moved = warp(picture, np.array([[1, 0, 10 + shift], [0, 1, 10]]), (40, 40), cv2.BORDER_REPLICATE)
        read = remapped(picture, x + np.float32(shift), y, cv2.INTER_LINEAR, cv2.BORDER_REPLICATE)
        for seen in (moved, read):
            assert seen.shape == (40, 40, channels) and seen.dtype == np.float32
            assert np.abs(seen / times - x[..., None] - shift).max() < 2e-3


def test_how_much_of_a_way_lies_inside():
    """Of a crop of a photo's first 100 pixels, in each direction, and of a photo that ends before it."""
    alignment = square(49.5, 49.5, 50, size=200)
    ways = [
        ((50, 50), (148, 50), 0.5),
        ((50, 50), (2, 50), 1.0),
        ((20, 50), (-20, 50), 0.5),
        ((50, 30), (50, -90), 0.25),
    ]
    for start, end, share in ways:
        assert alignment.share_inside(start, end, (500, 500)) == pytest.approx(share, abs=0.01)
    assert alignment.share_inside((50, 50), (70, 50), (500, 61)) == pytest.approx(0.5)
    assert alignment.share_inside((-5, 50), (50, 50), (500, 500)) == 0


def test_where_pixels_lie_on_pixels_they_stay():
    """Noise, moved by whole pixels: neither read between them nor averaged."""
    noise = np.random.default_rng(0).integers(0, 256, (60, 70, 3), np.uint8)
    moved = warp(noise, np.array([[1, 0, 10], [0, 1, 7]]), (40, 30), cv2.BORDER_REPLICATE)
    assert np.array_equal(moved, noise[7:37, 10:50])


@pytest.mark.parametrize("channels", [0, 1, 2, 3, 4, 5])
def test_a_picture_of_few_pixels_is_a_part_of_a_larger_one(channels):
    picture = np.random.default_rng(0).normal(size=(40, 40, channels)[: 2 + bool(channels)]).astype(np.float32)
    matrix = np.array([[2.3, 0.1, 1], [0.05, 3.1, 2]])
    larger = warp(picture, matrix, (9, 9), cv2.BORDER_REPLICATE)
    for width, height in [(1, 1), (3, 1), (1, 4), (4, 4), (2, 5)]:
        part = warp(picture, matrix, (width, height), cv2.BORDER_REPLICATE)
        assert part.shape == (height, width, channels)[: 2 + bool(channels)]
        assert np.allclose(part, larger[:height, :width], atol=1e-5)


def test_a_channel_stays_in_its_own_range():
    """A weight beside colours: it has no say in theirs, nor have they in its."""
    edge = np.arange(40) >= 20
    lows, highs = np.array([0, 90, 3, 0, -7]), np.array([255, 200, 4, 1, 2])
    picture = np.tile(np.where(edge[:, None], lows, highs), (40, 1, 1)).astype(np.float32)
    larger = warp(picture, np.array([[0.3, 0, 5], [0, 0.3, 5]]), (90, 90), cv2.BORDER_REPLICATE)
    assert np.array_equal(larger.min((0, 1)), lows) and np.array_equal(larger.max((0, 1)), highs)
    one = warp(picture[..., 3], np.array([[0.3, 0, 5], [0, 0.3, 5]]), (90, 90), cv2.BORDER_REPLICATE)
    assert np.abs(one - larger[..., 3]).max() < 1e-6
