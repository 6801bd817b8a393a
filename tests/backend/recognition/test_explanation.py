"""Where a label was found: against plain PyTorch, on pictures whose halves show different things, and through HTTP."""

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
import requests
import skimage.data
import torch
from PIL import ExifTags, Image, ImageOps
from torch.nn import functional

from backend.clip.deadline import Deadline
from backend.clip.decoders.lanes import Decoders
from backend.clip.errors import BadParameter
from backend.clip.export.source import Source, load
from backend.clip.photos.image import fit
from backend.clip.photos.preprocessing import Preprocessing
from backend.clip.recognition.explanation import Explanation, covered
from backend.clip.recognition.query import Query
from backend.clip.recognition.recognizer import Recognizer
from backend.clip.service import Service
from tests.backend.asking import error_code, post
from tests.launch import PROJECT, local
from tests.pictures import encoded, photo

CHECKPOINT = f"local-dir:{PROJECT / 'training' / 'checkpoint'}"
_PHOTOS = Path(str(skimage.data.__file__)).parent
_ON = {"explain": "1"}
_SIDE = 300


@pytest.fixture(scope="module")
def trained_url(trained: Path) -> Iterator[str]:
    with local("--model", str(trained)) as program:
        yield program.url + "/function/clip"


def explain(folder: Path, picture: Image.Image, *labels: str) -> Explanation:
    """Of the best of the labels, for a picture of the size that the model wants."""
    recognizer = Recognizer(folder, precision="f32")
    candidates = recognizer.candidates(Query(labels=labels), Deadline.unlimited())
    view = recognizer.embed(np.asarray(picture), with_map=True)
    label = recognizer.rank(view, candidates, 1).predictions[0].label
    assert recognizer.explainer is not None
    return recognizer.explainer.explain(view, candidates, label, picture.size)


def expected_grid(source: Source, rows: torch.Tensor, label: str, shape: tuple[int, int], folder: Path) -> torch.Tensor:
    """``rows`` [positions, dim], of any length, against the label's embedding less that of the average word."""
    text = source.model.encode_text(source.tokenizer([f"a photo of a {label}."]), normalize=True)[0]
    words = torch.from_numpy(np.load(folder / "everyday.npy"))
    relevance: torch.Tensor = functional.normalize(rows, dim=-1) @ (text - words.mean(0))
    relevance = relevance.clamp(min=0).reshape(shape)
    return relevance / relevance.max()


@pytest.mark.parametrize("kind", ["vit", "vit-quickgelu"])
def test_a_transformer_equals_plain_torch(kind: str, checkpoints: dict[str, str], exported: dict[str, Path]) -> None:
    source = load(checkpoints[kind], None)
    picture = photo((64, 64), seed=3)
    visual = source.model.visual
    block = visual.transformer.resblocks[-1]
    before: list[torch.Tensor] = []
    block.register_forward_pre_hook(lambda _, given: before.append(given[0]))
    visual(source.preprocess(picture)[None])

    normed = block.ln_1(before[0])[0, 1:]
    width, heads = normed.shape[1], block.attn.num_heads
    query, _, value = (normed @ block.attn.in_proj_weight.T + block.attn.in_proj_bias).split(width, dim=1)
    attended = torch.empty_like(value)
    for head in range(heads):
        part = slice(head * width // heads, (head + 1) * width // heads)
        likeness = query[:, part] @ query[:, part].T / (width // heads) ** 0.5
        attended[:, part] = likeness.softmax(dim=1) @ value[:, part]
    rows = visual.ln_post(attended @ block.attn.out_proj.weight.T + block.attn.out_proj.bias) @ visual.proj

    explanation = explain(exported[kind], picture, "cat", "a red ball")
    expected = expected_grid(source, rows, explanation.label, (4, 4), exported[kind])
    np.testing.assert_allclose(explanation.grid, expected.numpy(), atol=0.01)


def test_a_convolutional_trunk_equals_plain_torch(checkpoints: dict[str, str], exported: dict[str, Path]) -> None:
    source = load(checkpoints["timm"], None)
    picture = photo((96, 96), seed=3)
    visual = source.model.visual

    rows = visual.head(visual.trunk.forward_features(source.preprocess(picture)[None])[0].flatten(1).T)

    explanation = explain(exported["timm"], picture, "cat", "a red ball")
    expected = expected_grid(source, rows, explanation.label, (3, 3), exported["timm"])
    np.testing.assert_allclose(explanation.grid, expected.numpy(), atol=0.01)


def test_fine_classes_equal_plain_torch(trained: Path) -> None:
    source = load(CHECKPOINT, None)
    with Image.open(_PHOTOS / "coffee.png") as image:
        picture = fit(image.convert("RGB"), Preprocessing((208, 208)))
    words = json.loads((trained / "everyday.json").read_text())["words"]
    members = next(word["classes"] for word in words if word["word"] == "cup")
    visual, classes = source.model.visual, source.classes
    assert classes is not None

    features = visual.trunk.forward_features(source.preprocess(picture)[None])[0].flatten(1).T
    whole = features.mean(0, keepdim=True)
    logits = classes(whole, visual.head(whole))[0].requires_grad_()
    (direction,) = torch.autograd.grad(logits[members].logsumexp(0) - logits.mean(), logits)
    relevance = (classes(features, visual.head(features)) @ direction).clamp(min=0).reshape(7, 7)

    explanation = explain(trained, picture, "cup", "dog")
    assert explanation.label == "cup"
    np.testing.assert_allclose(explanation.grid, (relevance / relevance.max()).numpy(), atol=0.01)


def test_the_heat_lies_where_the_thing_is(trained_url: str) -> None:
    """Photographs side by side and above each other; each label is looked for in its half."""
    things = {"cat": "chelsea.png", "espresso": "coffee.png", "rocket": "rocket.jpg", "face": "astronaut.png"}
    known = requests.get(trained_url, timeout=60).json()["everyday"]
    things = {label: name for label, name in things.items() if label in known}
    assert len(things) >= 3
    right = total = 0
    for one, first in things.items():
        for other, second in things.items():
            if one == other:
                continue
            for beside in (True, False):
                picture = halves(first, second, beside=beside)
                for label, part in ((one, 0), (other, 1)):
                    answer = post(trained_url, picture, params={"explain": label}).json()["explanation"]
                    assert answer["label"] == label
                    heat = np.array(answer["grid"]).sum(axis=0 if beside else 1)
                    weight = np.clip(len(heat) / 2 - np.arange(len(heat)), 0, 1)
                    share = (heat * (weight if part == 0 else 1 - weight)).sum() / heat.sum()
                    right, total = right + bool(share > 0.5), total + 1
    assert total >= 24
    assert right >= 0.9 * total


def halves(first: str, second: str, *, beside: bool) -> bytes:
    size = (_SIDE // 2, _SIDE) if beside else (_SIDE, _SIDE // 2)
    picture = Image.new("RGB", (_SIDE, _SIDE))
    for number, name in enumerate((first, second)):
        with Image.open(_PHOTOS / name) as image:
            part = ImageOps.fit(image.convert("RGB"), size, Image.Resampling.BICUBIC)
        picture.paste(part, (number * _SIDE // 2, 0) if beside else (0, number * _SIDE // 2))
    return encoded(picture, "PNG")


@pytest.mark.parametrize("mode", ["shortest", "longest", "squash"])
@pytest.mark.parametrize("size", [(300, 200), (200, 300), (250, 250), (700, 90), (20, 9000)])
@pytest.mark.parametrize("target", [(64, 64), (48, 96)])
def test_the_grid_covers_what_the_image_tower_sees(mode: str, size: tuple[int, int], target: tuple[int, int]) -> None:
    """The levels of a picture say where in it they are, and so where in it the cells of a grid are."""
    preprocessing = Preprocessing(target, mode)
    x, y = (np.linspace(0, 255, count) for count in size)
    ramps = np.stack([*np.meshgrid(x, y), np.full((size[1], size[0]), 255)], axis=2)
    pixels = np.asarray(fit(Image.fromarray(ramps.round().astype(np.uint8)), preprocessing), np.float64) / 255
    cells = pixels.reshape(target[0] // 8, 8, target[1] // 8, 8, 3).mean(axis=(1, 3))

    (across, area), (down, _), (shown, _) = (covered(cells[:, :, channel], size, preprocessing) for channel in range(3))

    assert all(0 <= edge <= 1 for edge in area)
    left, top, right, bottom = area
    columns = left + (right - left) * (np.arange(across.shape[1]) + 0.5) / across.shape[1]
    rows = top + (bottom - top) * (np.arange(across.shape[0]) + 0.5) / across.shape[0]
    sure = shown > 0.98  # no padding in it
    assert sure.any() or min(size) / max(size) < 0.15
    tolerance = 0.5 / min(across.shape) if mode == "longest" else 0.03
    assert np.abs(across - columns[None, :])[sure].max(initial=0) < tolerance
    assert np.abs(down - rows[:, None])[sure].max(initial=0) < tolerance


def test_the_area_is_that_of_the_upright_photo(trained_url: str) -> None:
    image = photo((400, 200))
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6

    wide = post(trained_url, encoded(image, "JPEG"), params=_ON).json()["explanation"]
    tall = post(trained_url, encoded(image, "JPEG", exif=exif), params=_ON).json()["explanation"]

    assert wide["area"] == [0.25, 0, 0.75, 1]
    assert tall["area"] == [0, 0.25, 1, 0.75]


@pytest.mark.parametrize(
    "parameters",
    [{}, {"vocabulary": "everyday"}, {"labels": "dog,my own thing"}, {"labels": "dog,cat", "template": "a {} here"}],
)
def test_what_is_claimed_is_explained(parameters: dict[str, str], open_clip_url: str) -> None:
    file = encoded(photo((320, 240)), "JPEG")
    plain = post(open_clip_url, file, params=parameters).json()

    answer = post(open_clip_url, file, params=parameters | _ON).json()

    explanation = answer.pop("explanation")
    assert answer == plain
    assert explanation["label"] == plain.get("instead", plain["predictions"][0])["label"]
    grid = np.array(explanation["grid"])
    assert grid.shape == (4, 4)
    assert grid.min() >= 0
    assert grid.max() == 1
    assert explanation["area"] == [0.125, 0, 0.875, 1]


def test_in_a_form_each_photo_has_its_own(trained_url: str) -> None:
    index = trained_url.replace("clip", "index")
    files = [("photo", (f"{n}.png", encoded(photo((200, 200 + 200 * n), n), "PNG"))) for n in range(2)]
    both = {"preview": "1", "explain": "true"}
    for url in (trained_url, index):
        results = requests.post(url, files=files, data=both, timeout=60).json()["results"]
        assert [result["explanation"]["area"] for result in results] == [[0, 0, 1, 1], [0, 0.25, 1, 0.75]]
        assert all("preview" in result for result in results)


def test_the_description_says_whether_there_are_explanations(trained_url: str, open_clip_url: str) -> None:
    assert requests.get(trained_url, timeout=60).json()["explains"] is True
    assert requests.get(open_clip_url, timeout=60).json()["explains"] is True


def test_a_model_without_a_map_says_so(exported: dict[str, Path]) -> None:
    recognizer = Recognizer(exported["resnet"])
    assert recognizer.explainer is None
    with closing(Decoders()) as decoders:
        service = Service(decoders, recognizer)
        service.candidates(Query(), Deadline.unlimited())
        with pytest.raises(BadParameter, match="leave explain out"):
            service.candidates(Query(explain=True), Deadline.unlimited())


@pytest.fixture(scope="module")
def cat() -> bytes:
    """A photograph of a cat, by Stefan van der Walt; public domain."""
    return (_PHOTOS / "chelsea.png").read_bytes()


def test_where_no_label_is_recognized_what_it_is_instead_is_explained(clip_url: str, cat: bytes) -> None:
    plain = post(clip_url, cat, params={"labels": "dog"}).json()
    answer = post(clip_url, cat, params={"labels": "dog"} | _ON).json()
    asked = post(clip_url, cat, params={"explain": plain["instead"]["label"]}).json()
    recognized = post(clip_url, cat, params={"labels": "dog,cat"} | _ON).json()

    explanation = answer.pop("explanation")
    assert answer == plain
    assert explanation["label"] == plain["instead"]["label"] != "dog"
    assert explanation == asked["explanation"]
    assert "instead" not in recognized
    assert recognized["explanation"]["label"] == "cat"


@pytest.mark.parametrize(
    ("parameters", "asked", "explained"),
    [
        ({}, "pear", "pear"),
        ({}, " Pears ", "pear"),
        ({}, "sweet \t Pepper", "sweet pepper"),
        ({}, "dogs", "dog"),
        ({"vocabulary": "everyday"}, "apple", "apple"),
        ({"labels": "Kitten,pear"}, "kitten", "Kitten"),
        ({"labels": "Kitten,pear"}, "cats", "Kitten"),
        ({"labels": ["cats", "cat"]}, "cat", "cat"),
        ({"labels": "pear", "explain": "1"}, "1", "pear"),
        ({"labels": "pear,flamnigo", "unknown": "skip"}, "flamingo", "flamingo"),
    ],
)
def test_any_candidate_and_any_everyday_word_is_explained(
    parameters: dict[str, str], asked: str, explained: str, clip_url: str
) -> None:
    picture = encoded(Image.new("RGB", (64, 64), "green"), "PNG")
    plain = post(clip_url, picture, params={**parameters, "explain": "0"}).json()

    answer = post(clip_url, picture, params={**parameters, "explain": asked}).json()

    explanation = answer.pop("explanation")
    assert explanation["label"] == (explained if "instead" not in plain or asked != "1" else plain["instead"]["label"])
    assert np.array(explanation["grid"]).shape == (7, 7)
    assert answer == plain


def test_a_thing_that_is_asked_for_is_found_in_its_half(clip_url: str) -> None:
    picture = halves("chelsea.png", "coffee.png", beside=True)

    sides = {}
    for label in ("cat", "espresso"):
        grid = np.array(post(clip_url, picture, params={"explain": label}).json()["explanation"]["grid"])
        sides[label] = grid[:, :3].sum() - grid[:, 4:].sum()

    assert sides["cat"] > 0 > sides["espresso"]


def test_an_open_model_explains_its_candidates_and_the_everyday_words(open_clip_url: str) -> None:
    file = encoded(photo((320, 240)), "JPEG")
    parameters = {"labels": ["ein Hündchen", "日本語"], "template": "a {} here"}

    def grid(label: str, **changed: object) -> list[list[float]]:
        answer = post(open_clip_url, file, params={**parameters, **changed, "explain": label}).json()
        assert answer["explanation"]["label"].casefold() == label.casefold()
        return list(answer["explanation"]["grid"])

    of_own = grid("日本語")
    assert grid("EIN HÜNDCHEN") != of_own
    assert grid("日本語", template="{}") != of_own
    of_word = grid("dog")
    assert of_word not in (of_own, grid("cat"))
    assert grid("dog", template="{}") == of_word


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ("please", "'please' is none of them"),
        ("flamnigo", "near: flamingo"),
        ("paer", "near: pear"),
        ("2", "'2' is none"),
        ("饕餮", "'饕餮' is none of them."),
        ("餮" * 200, f"'{'餮' * 40}' is none of them."),
        ("x" * 200, "is none of them"),
        ("x" * 201, "201 characters"),
        ("x" * 200_000, "200,000 characters"),
        ("pear,apple", "'pear,apple' is none"),
        ("nan", "'nan' is none"),
        ("\x00", "is none"),
    ],
)
def test_what_cannot_be_explained(asked: str, words: str, clip_url: str) -> None:
    index = clip_url.replace("clip", "index")
    files = [("photo", ("a.png", encoded(photo((64, 64)), "PNG")))]
    for url in (clip_url, index):
        for answer in (
            post(url, encoded(photo((64, 64)), "PNG"), params={"explain": asked}),
            requests.post(url, files=files * 2, data={"explain": asked}, timeout=60),
        ):
            assert (answer.status_code, error_code(answer)) == (400, "bad_parameter")
            assert words in answer.json()["error"]["message"]
            assert len(answer.json()["error"]["message"]) < 300


def test_two_different_labels_to_explain(clip_url: str) -> None:
    answer = post(clip_url, encoded(photo((64, 64)), "PNG"), params={"explain": ["pear", "apple"]})

    assert (answer.status_code, error_code(answer)) == (400, "bad_parameter")


def test_an_open_model_says_what_it_cannot_explain(open_clip_url: str) -> None:
    parameters = {"labels": ["mein Hund", "apple"], "explain": "mein Hnud"}

    answer = post(open_clip_url, encoded(photo((64, 64)), "PNG"), params=parameters)

    assert (answer.status_code, error_code(answer)) == (400, "bad_parameter")
    assert "near: mein Hund" in answer.json()["error"]["message"]


def test_in_64_photos_the_same_word_is_looked_for(clip_url: str) -> None:
    file = encoded(photo((96, 64)), "JPEG")
    alone = post(clip_url, file, params={"explain": "wolves"}).json()

    files = [("photo", (f"{number}.jpg", file)) for number in range(64)]
    answer = requests.post(clip_url, files=files, data={"explain": "wolves"}, timeout=60).json()

    assert answer["results"] == [alone] * 64
    assert alone["explanation"]["label"] == "wolf"
