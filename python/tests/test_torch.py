"""The networks as PyTorch modules: the library's maps, there and back."""

import numpy as np
import pytest

import nucdet

torch = pytest.importorskip("torch", reason="PyTorch is missing")

import nucdet.torch  # noqa: E402
from nucdet.torch import _safetensors  # noqa: E402

NETWORKS = [
    {"network": "micronet-lite", "maps": 2},
    {"network": "micronet"},
    {"network": "micronet", "context": "two-s"},
    {"network": "micronet", "context": "bilinear"},
    {"network": "micronet", "norm": "batch-stats"},
    {"network": "micronet", "norm": "instance"},
    {"network": "micronet-paper"},
    {"network": "frcn"},
    {"network": "fcrn-a"},
    {"network": "fcrn-b"},
    {"network": "fcrn-b-alt"},
    {"network": "unet", "maps": 2, "base": 8},
    {"network": "unet", "maps": 2, "base": 8, "norm": "none"},
    {"network": "fcn8s", "maps": 1, "base": 8},
    {"network": "fcn8s", "maps": 2, "base": 8, "norm": "none"},
]


def metadata_of(choice):
    """Of a file with weights that were drawn."""
    whole = {"base": 4, "maps": 1, "norm": "batch", "context": "sparse3"} | choice
    named = {"network": whole.pop("network")} | {f"network.{key}": str(value) for key, value in whole.items()}
    constants = {"normalization.mean": "0.6 0.5 0.7", "normalization.deviation": "0.2 0.21 0.19"}
    full = "5" if whole["maps"] == 1 else "1"  # of a probability
    peaks = {"peaks.full_scale": full, "peaks.radius": "5", "peaks.smoothing": "0", "peaks.threshold": "0.3", "peaks.xi": "0"}
    return named | {"normalization": "fixed"} | constants | peaks


def furthest(model, detector, pixels):
    """Between the two networks' outputs, relative to the largest value."""
    with torch.no_grad():
        ours = model(model.prepare(pixels))
    theirs = detector.maps(pixels)
    assert set(ours) == set(theirs)
    return max(
        np.abs(ours[name][0].permute(1, 2, 0).numpy() - theirs[name]).max() / np.abs(theirs[name]).max() for name in ours
    )


@pytest.fixture(scope="module")
def region(images):
    return nucdet.read_image(images[1]).pixels[:96, :64]


@pytest.mark.parametrize("name", ["nuclei-he", "nuclei-he-classes"])
def test_the_weights_that_come_along(name, region):
    weights = nucdet.weights_file(name)
    assert furthest(nucdet.torch.load(weights), nucdet.Detector(weights, exact=True), region) < 1e-5


@pytest.mark.parametrize("choice", NETWORKS, ids=lambda c: "-".join(map(str, c.values())))
def test_every_network(choice, region, tmp_path):
    torch.manual_seed(3)
    model = nucdet.torch.build(metadata_of(choice))
    for name, tensor in model.state_dict().items():  # statistics that matter
        if name.endswith("running_mean"):
            tensor.normal_(0, 0.3)
        elif name.endswith("running_var"):
            tensor.uniform_(0.5, 2)
    file = tmp_path / "drawn.safetensors"
    nucdet.torch.save(model.eval(), file)
    assert furthest(nucdet.torch.load(file), nucdet.Detector(file, exact=True), region) < 1e-5


def test_there_and_back(region, tmp_path):
    weights = nucdet.weights_file("nuclei-he-classes")
    nucdet.torch.save(nucdet.torch.load(weights), tmp_path / "same.safetensors")
    tensors, metadata = _safetensors.read(weights)
    again, again_metadata = _safetensors.read(tmp_path / "same.safetensors")
    assert metadata == again_metadata and tensors.keys() == again.keys()
    assert all(np.array_equal(tensors[name], again[name]) for name in tensors)
    with pytest.raises(FileExistsError):
        nucdet.torch.save(nucdet.torch.load(weights), tmp_path / "same.safetensors")


def test_a_step_of_training_shows_in_the_detector(region, tmp_path):
    model = nucdet.torch.load()
    before = nucdet.Detector(exact=True).maps(region)["map"]
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-4)
    model.train()
    model(model.prepare(region))["map"].square().mean().backward()
    optimizer.step()
    nucdet.torch.save(model.eval(), tmp_path / "stepped.safetensors")
    stepped = nucdet.Detector(tmp_path / "stepped.safetensors", exact=True)
    assert furthest(model, stepped, region) < 1e-5
    assert np.abs(stepped.maps(region)["map"] - before).max() > 1e-4


def test_refused(region, tmp_path):
    with pytest.raises(ValueError, match="resnet"):
        nucdet.torch.build({"network": "resnet"})
    (tmp_path / "a.safetensors").write_bytes(b"123456789")
    with pytest.raises(OSError, match="safetensors"):
        nucdet.torch.load(tmp_path / "a.safetensors")
    model = nucdet.torch.load()
    with torch.no_grad():
        next(model.parameters())[0] = float("nan")
    with pytest.raises(ValueError, match="finite"):
        nucdet.torch.save(model, tmp_path / "nan.safetensors")
    with pytest.raises(ValueError, match="height"):
        model.prepare(region[..., 0].ravel())
    with pytest.raises(ValueError, match="'layer'"):
        nucdet.torch.build({"network": "micronet", "network.norm": "layer"})


def test_pixels_are_read_as_the_library_reads_them():
    model = nucdet.torch.load()
    random = np.random.default_rng(3)
    pixels = random.integers(0, 256, (32, 48, 3)).astype(np.uint8)
    wanted = model.prepare(pixels)
    grey = pixels[..., 0]
    clear = np.dstack([pixels, np.full(grey.shape, 255, np.uint8)])
    assert torch.equal(model.prepare(pixels.astype(np.uint16) * 257), wanted)
    assert torch.equal(model.prepare(pixels.astype(np.float32)), wanted)
    assert torch.allclose(model.prepare((pixels * (4095 / 255)).astype(np.uint16)), wanted, atol=4e-3)  # 12 bits
    assert torch.equal(model.prepare(grey), model.prepare(np.dstack([grey] * 3)))
    assert torch.equal(model.prepare(clear), wanted)


def test_saved_is_what_can_be_loaded(tmp_path):
    file = tmp_path / "a.safetensors"
    model = nucdet.torch.load()
    model.metadata["peaks.threshold"] = 0.4
    nucdet.torch.save(model, file)
    assert nucdet.Detector(file).threshold == pytest.approx(0.4)
    model.metadata["peaks.threshold"] = None
    with pytest.raises(ValueError, match="peaks.threshold"):
        nucdet.torch.save(model, tmp_path / "b.safetensors")
    model.metadata["peaks.threshold"] = "0.4"
    model.metadata["network.base"] = "8"
    with pytest.raises(ValueError, match=r"conv1.weight is \[32"):
        nucdet.torch.save(model, tmp_path / "b.safetensors")
    more = nucdet.torch.load()
    more.add_module("mine", torch.nn.Linear(2, 2))
    with pytest.raises(ValueError, match="mine.weight"):
        nucdet.torch.save(more, tmp_path / "b.safetensors")
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.skipif(not hasattr(torch, "compile"), reason="this PyTorch compiles nothing")
def test_what_was_compiled_is_saved(tmp_path):
    compiled = torch.compile(nucdet.torch.load())  # when it is called: here it is not
    assert any(name.startswith("_orig_mod.") for name in compiled.state_dict())
    nucdet.torch.save(compiled, tmp_path / "a.safetensors")
    assert _safetensors.read(tmp_path / "a.safetensors")[0].keys() == _safetensors.read(nucdet.weights_file())[0].keys()
