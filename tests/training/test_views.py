"""What the trunk is shown, against Pillow and against what was drawn."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.training.drawn import write_pictures
from training.data import DataError
from training.views import Pictures, mosaic, plain, read_pictures, scene, sharpened, varied

IMAGE = np.random.default_rng(2).integers(0, 256, size=(32, 32, 3), dtype=np.uint8)


def test_a_plain_view_is_the_image_enlarged() -> None:
    expected = Image.fromarray(IMAGE).resize((64, 64), Image.Resampling.BICUBIC)
    np.testing.assert_array_equal(plain(IMAGE, 64), np.asarray(expected))


def test_a_varied_view_depends_on_its_numbers_alone() -> None:
    views = [varied(IMAGE, 64, (0, number)) for number in range(20)]
    assert {view.shape for view in views} == {(64, 64, 3)}
    assert len({view.tobytes() for view in views}) == 20
    np.testing.assert_array_equal(varied(IMAGE, 64, (0, 7)), views[7])


def test_a_sharpened_view_has_steeper_edges_than_a_plain_one() -> None:
    edge = np.zeros((32, 32, 3), np.uint8)
    edge[:, 16:] = 200

    def steepest(picture: np.ndarray) -> int:
        return int(np.abs(np.diff(picture[100].mean(-1))).max())

    views = [sharpened(edge, 208, (0, number)) for number in range(20)]
    assert np.mean([steepest(view) for view in views]) > 1.5 * steepest(plain(edge, 208))
    np.testing.assert_array_equal(sharpened(edge, 208, (0, 3)), views[3])


def test_a_mosaic_shows_several_images_of_a_kind() -> None:
    red, blue = (np.full((32, 32, 3), color, np.uint8) for color in ((200, 0, 0), (0, 0, 200)))
    views = [mosaic(np.stack([red, blue]), 64, (0, number)) for number in range(20)]
    assert {view.shape for view in views} == {(64, 64, 3)}
    both = [(view[..., 0] > view[..., 2] + 90).any() and (view[..., 2] > view[..., 0] + 90).any() for view in views]
    assert sum(both) > 10
    np.testing.assert_array_equal(mosaic(np.stack([red, blue]), 64, (0, 7)), views[7])


def test_pictures_are_backgrounds_or_things_and_the_rest_is_left_out(tmp_path: Path) -> None:
    pictures = read_pictures(write_pictures(tmp_path / "pictures"))
    assert [picture.size for picture in pictures.backgrounds] == [(400, 320)]
    assert [picture.size for picture in pictures.cutouts] == [(70, 50)]


def test_scenes_show_things_on_backgrounds() -> None:
    blue, red = Image.new("RGB", (300, 300), (0, 0, 255)), Image.new("RGBA", (60, 60), (255, 0, 0, 255))
    scenes = [scene(Pictures([blue], [red]), 64, (0, number)) for number in range(60)]
    assert {picture.shape for picture in scenes} == {(64, 64, 3)}
    with_red = [bool((picture[..., 0] > picture[..., 2] + 100).any()) for picture in scenes]
    assert 30 < sum(with_red) < 60  # four of five show something
    np.testing.assert_array_equal(scene(Pictures([blue], [red]), 64, (0, 5)), scenes[5])


def test_a_folder_without_what_scenes_need_is_an_error_that_says_so(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"transparent around a thing; found 0 and 0"):
        read_pictures(tmp_path / "nothing")
    (tmp_path / "broken.png").write_bytes(b"\x89PNG")
    with pytest.raises(DataError, match=r"broken\.png"):
        read_pictures(tmp_path)
