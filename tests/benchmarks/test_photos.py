import io

from PIL import Image

from benchmarks.photos import photo


def test_a_photo_has_its_size_and_the_weight_of_a_real_one() -> None:
    data = photo((640, 480), seed=1)

    with Image.open(io.BytesIO(data)) as image:
        assert (image.format, image.mode, image.size) == ("JPEG", "RGB", (640, 480))
    # What cameras write: one to four bits a pixel.
    assert 1 < 8 * len(data) / (640 * 480) < 4


def test_only_the_seed_changes_a_photo() -> None:
    assert photo((64, 48), seed=1) == photo((64, 48), seed=1)
    assert photo((64, 48), seed=1) != photo((64, 48), seed=2)
