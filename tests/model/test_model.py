import re
from dataclasses import replace

import numpy as np
import pytest

from lutgen.codec.codec import Codec
from lutgen.files.archive import read_archive, write_archive
from lutgen.model.head import TableHead
from lutgen.model.model import FORMAT_VERSION, Model, ModelError
from lutgen.model.pyramid import pyramid
from lutgen.model.window import Window
from tests.models import (
    laplace_model,
    pyramid_laplace_model,
    pyramid_table_model,
    random_netlist,
    random_upsampler,
    random_walker,
    table_model,
)

MODELS = {
    "walker": lambda: table_model(0),
    "table": lambda: table_model(1, size=3, walker=False),
    "laplace": lambda: laplace_model(2, bits=8, nodes=20),
    "pyramid": lambda: pyramid_table_model(3, constraint=True),
    "pyramid laplace": lambda: pyramid_laplace_model(4, levels=1, bits=8, nodes=20),
}
every_model = pytest.mark.parametrize("name", MODELS)
every_part = pytest.mark.parametrize("name", [
    pytest.param(name, marks=[pytest.mark.slow] * name.startswith("pyramid")) for name in MODELS
])  # fmt: skip
KIND = "codec-model"


@pytest.fixture
def path(tmp_path):
    return tmp_path / "m.lutgen"


def features_of(model, count=500):
    rng = np.random.default_rng(0)
    return rng.integers(0, 256, (model.window.features, count), dtype=np.uint8)


@every_model
def test_a_model_comes_back(name, path):
    model = MODELS[name]()
    model.save(path)
    loaded = Model.load(path)
    assert loaded.hash == model.hash
    assert loaded.profile == model.profile
    assert loaded.training == {"data": "random"}
    assert loaded.levels == model.levels
    assert loaded.constraint is model.constraint
    assert loaded.window == model.window
    features = features_of(model)
    np.testing.assert_array_equal(loaded.classify(features), model.classify(features))
    again = path.with_suffix(".again")
    loaded.save(again)
    assert again.read_bytes() == path.read_bytes()


@every_model
def test_classes_are_those_of_the_parts(name):
    model = MODELS[name]()
    features = features_of(model)
    classes = model.classify(features)
    assert classes.dtype == np.int64
    assert classes.min() >= 0 and classes.max() < model.head.classes
    bits = model.network.evaluate(features)
    if model.walker is None and name != "table":
        mu, sigma = (bits[g].sum(axis=0, dtype=np.int64) for g in ("mu", "sigma"))
        wanted = 512 * model.head.sigma[sigma] + model.head.mu[mu]
    else:
        wanted = (bits["index"] * (1 << np.arange(3))[:, None]).sum(axis=0)
        if model.walker:
            wanted = model.walker.walk(wanted, features)
    np.testing.assert_array_equal(classes, wanted)


def test_the_hash_covers_what_decoding_needs_and_nothing_else():
    model = table_model()
    same = [model.with_training({"other": 1}), replace(model, profile="renamed")]
    assert {m.hash for m in same} == {model.hash}
    assert re.fullmatch("[0-9a-f]{64}", model.hash)
    cumulative = model.head.cumulative.copy()
    cumulative[3, 7] += 1 if cumulative[3, 8] - cumulative[3, 7] > 1 else -1
    others = [
        replace(model, head=TableHead(cumulative)),
        replace(model, walker=table_model(5).walker),
        replace(model, network=table_model(5).network),
        table_model(0, walker=False),
    ]
    assert len({m.hash for m in [model, *others]}) == 5


def test_the_hash_of_a_pyramid_covers_levels_and_upsampler():
    model = pyramid_table_model()
    rng = np.random.default_rng(9)
    others = [
        replace(model, levels=1), replace(model, upsampler=random_upsampler(rng)),
        replace(model, upsampler=random_upsampler(rng, size=3)), replace(model, constraint=True),
        replace(model, levels=0, upsampler=None, window=Window(5),
                network=table_model().network, walker=table_model().walker),
    ]  # fmt: skip
    assert len({m.hash for m in [model, *others]}) == 6
    assert replace(model, profile="renamed").hash == model.hash


def test_features_of_all_levels():
    model = pyramid_table_model()
    tiles = np.random.default_rng(10).integers(0, 256, (2, 3, 11, 6), dtype=np.uint8)
    features = model.level_features(tiles)
    assert [f.shape for f in features] == [
        (25, 2, 3, 11, 6), (25, 2, 3, 6, 3), (25, 2, 3, 3, 2)
    ]
    levels = pyramid(tiles, 2)
    for level in (0, 1):
        prior = model.upsampler.upsample(levels[level + 1], *levels[level].shape[-2:])
        wanted = model.window.extract(levels[level], prior)
        np.testing.assert_array_equal(features[level], wanted)
    np.testing.assert_array_equal(features[2], model.window.extract(levels[2]))
    assert not features[2][12:].any()
    flat = table_model()
    (features,) = flat.level_features(tiles)
    np.testing.assert_array_equal(features, flat.window.extract(tiles))


def test_only_a_constraint_is_in_the_file(path):
    """Models of a pyramid without one have the hash that they had before there was any."""
    pyramid_table_model().save(path)
    assert "constraint" not in read_archive(path, KIND, FORMAT_VERSION)[0]["model"]
    pyramid_table_model(constraint=True).save(path)
    assert read_archive(path, KIND, FORMAT_VERSION)[0]["model"]["constraint"] is True


def test_hashes_are_literal():
    """Bitstreams carry them: a change is a new version of the format."""
    from tests.codec.test_codec import golden_laplace_model, golden_table_model

    assert golden_table_model().hash == (
        "96fd26bd3efe6bd9edd3b1bce84cc81bb0d74f23b6cb051963354336cd745d63"
    )
    assert golden_laplace_model().hash == (
        "43ac323e2a3664e41c04fb5b907a09ca0e646079717e8b78f80e401ece45659e"
    )


def test_files_are_literal(tmp_path):
    """Nothing that pyramids need is in the files of models without."""
    from tests.codec.test_codec import golden_table_model

    golden_table_model().save(tmp_path / "a.lutgen")
    meta, arrays = read_archive(tmp_path / "a.lutgen", KIND, FORMAT_VERSION)
    assert meta == {
        "model": {
            "head": "table", "network": {"features": 12, "outputs": [["index", 2]]},
            "stages": 2, "window": 5,
        },
        "profile": "raster-table", "training": {},
    }  # fmt: skip
    assert sorted(arrays) == ["head.cumulative", *(
        f"{part}.{name}" for part, names in (
            ("network", ("fanin", "inputs", "outputs", "tables")),
            ("walker.0", ("child", "feature", "threshold")),
            ("walker.1", ("child", "feature", "threshold")),
        ) for name in names
    )]  # fmt: skip


def test_the_embedded_model_is_literal():
    model = Model.default()
    assert model.hash.startswith("873863f397e8")
    assert (model.levels, model.upsampler) == (0, None)


def test_every_changed_byte_is_found(path):
    table_model(walker=False, bits=1).save(path)
    data = path.read_bytes()
    for at in range(len(data)):
        bad = bytearray(data)
        bad[at] ^= 1 << at % 8
        path.write_bytes(bad)
        with pytest.raises(ModelError):
            Model.load(path)


def test_every_truncation_is_found(path):
    table_model(walker=False, bits=1).save(path)
    data = path.read_bytes()
    for end in [*range(0, 100), *range(100, len(data), 7)]:
        path.write_bytes(data[:end])
        with pytest.raises(ModelError):
            Model.load(path)
    path.write_bytes(data + b"\0")
    with pytest.raises(ModelError):
        Model.load(path)


def test_files_that_cannot_be_read(tmp_path):
    with pytest.raises(FileNotFoundError):
        Model.load(tmp_path / "none")
    with pytest.raises(OSError):
        Model.load(tmp_path)


def usable(model):
    """A model that loads must also encode and decode."""
    image = np.random.default_rng(1).integers(0, 256, (9, 7), dtype=np.uint8)
    codec = Codec(model, threads=1)
    np.testing.assert_array_equal(codec.decode(codec.encode(image).data)[0], image)


def rewrite(path, meta, arrays):
    write_archive(path, KIND, FORMAT_VERSION, meta, arrays)


def load_hostile(path):
    """Either a model that works or a ModelError with the file's name, and nothing else."""
    try:
        model = Model.load(path)
    except ModelError as error:
        assert str(error).startswith(f"{path}: ")
        return
    usable(model)
    model.save(path)


@every_part
def test_hostile_arrays(name, path):
    """Archives with a right hash whose arrays are of other shapes, types and values."""
    MODELS[name]().save(path)
    meta, arrays = read_archive(path, KIND, FORMAT_VERSION)
    rng = np.random.default_rng(3)
    for key, array in arrays.items():
        rewrite(path, meta, {k: v for k, v in arrays.items() if k != key})
        with pytest.raises(ModelError):
            Model.load(path)
        info = np.iinfo(array.dtype)
        changed = [
            array.ravel(), array[None], array[:0], array[:1], array[:-1], array.T,
            np.concatenate([array, array]), array.reshape(*array.shape, 1),
            np.zeros((), array.dtype), np.zeros((0, 0), array.dtype), np.zeros_like(array),
            np.full_like(array, info.max), np.full_like(array, info.min),
            array.astype(np.int64) - (1 << 40), array.astype(np.int64) + (1 << 32),
            array.astype(np.int8), array.astype(np.uint64),
            rng.permutation(array.ravel()).reshape(array.shape),
            np.frombuffer(rng.bytes(array.nbytes), array.dtype).reshape(array.shape),
        ]  # fmt: skip
        for _ in range(4):
            one = array.copy()
            extreme = [info.min, info.max, int(info.max // 2), int(info.max // 5)]
            one.ravel()[rng.integers(array.size)] = extreme[rng.integers(4)]
            changed.append(one)
        for value in changed:
            rewrite(path, meta, arrays | {key: np.ascontiguousarray(value)})
            load_hostile(path)


JUNK = [None, True, False, 0, -1, 1, 5, 17, 1 << 60, 1.5, 5.0, 1e308, "", "5", "1" * 5000, "table",
        [], [5], {}, {"a": 1}, [["index", 3]], [["mu", 1], ["sigma", 1]]]  # fmt: skip


def slots(value, trail=()):
    """Path of every value in a json object."""
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, inner in items:
        yield (*trail, key)
        if isinstance(inner, dict | list):
            yield from slots(inner, (*trail, key))


def with_slot(value, trail, new):
    if not trail:
        return new
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[trail[0]] = with_slot(copy[trail[0]], trail[1:], new)
    return copy


@every_part
def test_hostile_json(name, path):
    MODELS[name]().save(path)
    meta, arrays = read_archive(path, KIND, FORMAT_VERSION)
    for trail in slots(meta):
        for junk in JUNK:
            rewrite(path, with_slot(meta, trail, junk), arrays)
            load_hostile(path)
    for key in meta:
        rewrite(path, {k: v for k, v in meta.items() if k != key}, arrays)
        with pytest.raises(ModelError):
            Model.load(path)
    for key in set(meta["model"]) - {"constraint"}:  # without it, it is another model
        model = {k: v for k, v in meta["model"].items() if k != key}
        rewrite(path, meta | {"model": model}, arrays)
        with pytest.raises(ModelError):
            Model.load(path)


def test_other_kinds_of_archive_are_refused(path):
    table_model().network.save(path)
    with pytest.raises(ModelError, match=f"^{re.escape(str(path))}: kind must be"):
        Model.load(path)


def parts(**changes):
    model = table_model()
    values = {
        "profile": "p", "window": model.window, "network": model.network, "walker": model.walker,
        "head": model.head, "training": {},
    }  # fmt: skip
    return values | changes


def net(groups, features=12, nodes=20):
    return random_netlist(np.random.default_rng(0), features, groups, inputs=30, nodes=nodes)


def walk(**changes):
    values = {"features": 12, "entries": 8, "stages": 2, "groups": 5, "classes": 13} | changes
    return random_walker(np.random.default_rng(0), **values)


LAPLACE = laplace_model().head
UPS = random_upsampler(np.random.default_rng(0))
PRIOR = {"window": Window(5, prior=True), "network": net({"index": 3}, features=25)}


@pytest.mark.parametrize(("changes", "message"), [
    ({"profile": ""}, "profile must be a name of 1 to 64 characters, not ''"),
    ({"profile": 5}, "profile must be a name of 1 to 64 characters, not 5"),
    ({"training": ["data"]}, "training record must be a mapping, not a list"),
    ({"window": Window(7)}, "network must read the window's 24 features, not 12"),
    ({"network": net({"class": 3})},
     "network must have the output groups ['index'], not ['class']"),
    ({"network": net({"index": 3, "mu": 3})},
     "network must have the output groups ['index'], not ['index', 'mu']"),
    ({"network": net({"index": 17})}, "index must have 1 to 16 bits, not 17"),
    ({"walker": None}, "head must have 8 classes for an index of 3 bits, not 13"),
    ({"walker": walk(entries=9)},
     "walker must begin with 8 records for an index of 3 bits, not 9"),
    ({"walker": walk(features=200)}, "walker must read features below 12, not 194"),
    ({"walker": walk(classes=14)}, "walker must name classes below 13, not 13"),
    ({"head": LAPLACE, "walker": None},
     "network must have the output groups ['mu', 'sigma'], not ['index']"),
    ({"head": LAPLACE, "network": net({"mu": 40, "sigma": 20})},
     "walker must be absent from a model with a Laplace head"),
    ({"head": LAPLACE, "network": net({"mu": 39, "sigma": 20}), "walker": None},
     "table mu must have 40 entries for 39 output bits, not 41"),
    ({"head": LAPLACE, "network": net({"mu": 40, "sigma": 1}), "walker": None},
     "table sigma must have 2 entries for 1 output bits, not 21"),
    (PRIOR | {"levels": 2, "upsampler": UPS, "constraint": 1},
     "constraint must be True or False, not 1"),
    ({"constraint": True}, "constraint must be False with 0 levels, not True"),
    ({"levels": 4}, "levels must be 0 to 3, not 4"),
    ({"levels": -1}, "levels must be 0 to 3, not -1"),
    ({"levels": True}, "levels must be 0 to 3, not True"),
    ({"levels": 1, "upsampler": UPS},
     "prior of the window must be True with 1 levels, not False"),
    (PRIOR, "prior of the window must be False with 0 levels, not True"),
    ({"upsampler": UPS}, "upsampler must be absent from a model with 0 levels"),
    (PRIOR | {"levels": 2}, "upsampler must be an Upsampler in a model with 2 levels, not None"),
    (PRIOR | {"levels": 2, "upsampler": 5},
     "upsampler must be an Upsampler in a model with 2 levels, not 5"),
    (PRIOR | {"levels": 2, "upsampler": UPS, "network": net({"index": 3})},
     "network must read the window's 25 features, not 12"),
])  # fmt: skip
def test_parts_that_do_not_fit(changes, message):
    with pytest.raises(ModelError, match=f"^{re.escape(message)}$"):
        Model(**parts(**changes))
