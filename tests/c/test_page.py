"""The page that `lutgen c --page` writes, in a real browser: what it decodes is the reference's."""

import base64

import numpy as np
import pytest
from click.testing import CliRunner

import lutgen
from lutgen.cli import main
from lutgen.codec.any_profile import codec_of
from lutgen.formats.imageio import read_gray
from lutgen.formats.rules import DEEP_COLOUR
from tests.chromium import CHROMIUM, needs_chromium
from tests.models import colour_model, mosaic_model, predictive_model, table_model

pytest.importorskip("ziglang", reason='no compiler of WebAssembly here: pip install "lutgen[web]"')
playwright = pytest.importorskip("playwright.sync_api")
pytestmark = needs_chromium

MODELS = {"gray": predictive_model(), "rgb": colour_model(), "raw": mosaic_model(),
          "tiles": table_model()}  # fmt: skip
CODECS = {name: codec_of(model, threads=1) for name, model in MODELS.items()}

#: Drops a file onto the page, as a user does.
DROP = """([name, text]) => {
  const bytes = Uint8Array.from(atob(text), letter => letter.charCodeAt(0));
  const files = new DataTransfer();
  files.items.add(new File([bytes], name));
  document.dispatchEvent(new DragEvent('drop', {dataTransfer: files, cancelable: true}));
}"""
PIXELS = """() => {
  const canvas = document.getElementById('picture');
  const found = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
  return [canvas.width, canvas.height, ...found.data];
}"""


def images(channels: int, depth: int, shape=(3, 22, 150)) -> np.ndarray:
    rng = np.random.default_rng(channels + depth)
    found = rng.integers(0, 1 << depth, (*shape, channels)).cumsum(axis=2) >> 3
    found = (found & ((1 << depth) - 1)).astype(np.uint8 if depth == 8 else np.uint16)
    return found[..., 0] if channels == 1 else found


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    path = tmp_path_factory.mktemp("page") / "look.html"
    for name, model in MODELS.items():
        model.save(path.with_name(f"{name}.lutgen"))
    named = [a for name in MODELS for a in ("--model", str(path.with_name(f"{name}.lutgen")))]
    done = CliRunner().invoke(main, ["c", *named, "--page", str(path)])
    assert done.exit_code == 0, done.output
    with playwright.sync_playwright() as tool:
        browser = tool.chromium.launch(executable_path=CHROMIUM)
        found = browser.new_page()
        asked = []
        found.on("request", lambda request: asked.append(request.url))
        found.goto(path.as_uri())
        yield found
        assert [url for url in asked if not url.startswith(("file:", "blob:"))] == []
        browser.close()


def drop(page, name: str, data: bytes) -> None:
    page.evaluate("document.getElementById('facts').replaceChildren()")
    page.evaluate(DROP, [name, base64.b64encode(data).decode()])
    page.wait_for_function(
        "document.getElementById('facts').rows.length || "
        "document.getElementById('error').textContent"
    )


@pytest.mark.exhaustive
@pytest.mark.parametrize(("model", "channels", "depth", "options"), [
    ("gray", 1, 8, {}), ("gray", 1, 12, {"near": 3}), ("gray", 1, 16, {"tile_width": 40}),
    ("rgb", 2, 8, {"strip_height": 8}), ("rgb", 3, 8, {}), ("rgb", 3, 16, {}), ("rgb", 4, 8, {}),
    ("raw", 1, 14, {"cfa": "GBRG"}),
])  # fmt: skip
def test_images_are_the_references(page, tmp_path, model, channels, depth, options):
    stack = images(channels, depth)
    codec = CODECS[model]
    file = codec.encode(stack, depth=depth, channels=channels, **options)
    wanted = codec.decode(file)
    drop(page, "a.lgc", file)
    facts = page.inner_text("#facts")
    assert f"150 × 22, {['gray', 'gray and alpha', 'RGB', 'RGBA'][channels - 1]}, {depth}" in facts
    assert f"{len(file):,} bytes" in facts and model in facts
    assert ("lossless" in facts) == ("near" not in options)
    for number in (1, 3):
        page.fill("#number", str(number))
        page.dispatch_event("#number", "change")
        width, height, *shown = page.evaluate(PIXELS)
        top = (wanted[number - 1] >> (depth - 8)).reshape(22, 150, channels)
        rgba = np.array(shown).reshape(height, width, 4)
        if channels % 2:  # a canvas does not keep colours under alpha
            assert np.array_equal(rgba[..., :3], np.broadcast_to(top, (22, 150, 3)))
        with page.expect_download() as download:
            page.click("#save")
        saved = tmp_path / download.value.suggested_filename
        assert saved.name == f"a-{number}.png"
        download.value.save_as(saved)
        (found,) = read_gray(saved, DEEP_COLOUR)
        assert found.array.dtype == wanted.dtype
        assert np.array_equal(found.array, wanted[number - 1])


@pytest.mark.slow
def test_tiles_are_decoded(page):
    stack = images(1, 8)
    drop(page, "t.lgc", CODECS["tiles"].encode(stack).data)
    assert "150 × 22, gray, 8 bits" in page.inner_text("#facts")
    _, _, *shown = page.evaluate(PIXELS)
    assert np.array_equal(np.array(shown)[::4], stack[0].ravel())


@pytest.mark.slow
def test_bad_files_are_named_and_damage_is_counted(page):
    file = bytearray(CODECS["gray"].encode(images(1, 8), strip_height=8, tile_width=0))
    for data, words in (
        (b"", "cut short"), (b"\x89PNG" + bytes(99), "does not begin with LGC"),
        (bytes(file[:40]), "cut short"), (lutgen.encode(images(1, 8)[0], "photo"), "another model"),
    ):  # fmt: skip
        drop(page, "b.lgc", data)
        error = page.inner_text("#error")
        assert error.startswith("b.lgc: ") and words in error
        assert page.is_hidden("#result")
    file[60] ^= 4
    drop(page, "c.lgc", bytes(file))
    assert page.inner_text("#error") == "" and "1 of 9, shown black" in page.inner_text("#facts")


def test_neither_folder_nor_page_is_refused():
    done = CliRunner().invoke(main, ["c"])
    assert done.exit_code == 2 and "--out or --page must be given" in done.output
