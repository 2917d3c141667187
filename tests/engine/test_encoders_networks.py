"""Encoders that are layers of a network: weights, runtime, and the answers of both."""

import hashlib
import json
import subprocess
import sys

import numpy as np
import pytest
import safetensors.torch
import torch
from PIL import Image

from search.engine import encoders, runtime, torchvision_ops, weight_downloads, weight_files
from search.engine.encoders import trained, vgg
from search.engine.encoders.base import Surroundings
from search.engine.encoders.trained_files import read_trained_card, weights_path
from search.engine.networks import Vgg16Layers
from search.engine.runtime import NetworkSpec, ParityFailure, TorchNetwork, check_parity, open_network
from search.engine.trained_networks import Architecture, make_network
from search.engine.weight_downloads import PublishedFile

SHIPPED = [info.name for info in trained.describe(Surroundings())]
SIDE = 32
SMALL = Architecture("csn", "thimble", SIDE, 8, masks=("colour",))
LAYERS = ("embedding", "mask-colour")


def draw_photos(count, seed=0):
    generator = np.random.default_rng(seed)
    shapes = generator.integers(40, 200, (count, 2))
    return [generator.integers(0, 256, (*shape, 3)).astype(np.uint8) for shape in shapes]


def make_small(seed=0):
    torch.manual_seed(seed)
    return make_network(SMALL).eval()


@pytest.fixture(scope="module")
def exports(tmp_path_factory):
    """A folder for exported networks that the module's tests share, so that each is exported once."""
    return tmp_path_factory.mktemp("exports")


def test_a_transfer_a_siamese_and_a_conditional_network_are_shipped():
    infos = trained.describe(Surroundings())
    assert {info.network for info in infos} == {"thimble-transfer", "thimble-siamese", "thimble-csn"}
    assert {info.mask for info in infos if info.network == "thimble-csn"} == {"", "kind", "colour", "pattern"}
    for info in infos:
        assert info.availability == "ready"
        card = read_trained_card(trained.SHIPPED / info.network)
        digest = hashlib.sha256(weights_path(trained.SHIPPED / info.network, card).read_bytes()).hexdigest()
        assert info.version == f"{digest[:12]}-{trained.FRAMING}"


def test_shipped_weights_stay_small():
    assert sum(path.stat().st_size for path in trained.SHIPPED.rglob("*") if path.is_file()) <= 15e6


@pytest.mark.parametrize("name", SHIPPED)
def test_the_shipped_networks_encode_alike_in_any_batch(exports, name):
    encoder = encoders.create_encoder(name, "cpu", cache_folder=exports, threads=1)
    photos = draw_photos(32)
    together = encoder.encode(photos)
    assert together.shape == (32, encoder.info.dimensions)
    assert together.dtype == np.float32
    np.testing.assert_allclose(together[:1], encoder.encode(photos[:1]), atol=1e-4)
    np.testing.assert_allclose(together[5:18], encoder.encode(photos[5:18]), atol=1e-4)
    assert encoder.encode([]).shape == (0, encoder.info.dimensions)


def test_onnx_runtime_says_what_torch_says(exports):
    encoder = encoders.create_encoder("thimble-transfer", "cpu", cache_folder=exports)
    photos = draw_photos(4)
    folder = trained.SHIPPED / "thimble-transfer"
    side = read_trained_card(folder)["architecture"]["side"]
    network = TorchNetwork(trained.build_network(folder), ("hidden",), "cpu")
    framed = np.stack([trained.frame(Image.fromarray(photo), side=side) for photo in photos])
    np.testing.assert_allclose(encoder.encode(photos), network.run(framed)["hidden"], atol=1e-3)


def test_signs_of_a_shipped_hidden_layer_say_something(exports):
    encoder = encoders.create_encoder("thimble-transfer", "cpu", cache_folder=exports)
    vectors = encoder.encode(draw_photos(8))
    assert encoder.info.sign_structured
    assert vectors.min() == 0
    assert 0.02 < (vectors > 0).mean() < 0.98


def test_a_process_with_a_kept_export_needs_no_torch(exports):
    encoders.create_encoder("thimble-transfer", "cpu", cache_folder=exports)
    code = (
        "import pathlib, sys; import numpy as np; from search.engine.encoders import create_encoder;"
        "e = create_encoder('thimble-transfer', 'cpu', cache_folder=pathlib.Path(sys.argv[1]));"
        "assert e.encode([np.zeros((9, 9, 3), np.uint8)]).shape == (1, 512);"
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code, str(exports)], check=False).returncode == 0


def test_29_weights_under_a_card_without_a_checksum_are_not_read(tmp_path):
    path = tmp_path / "net.safetensors"
    weight_files.write_weights(path, make_small().state_dict(), {})
    weight_files.load_weights(make_small(1), path)
    path.with_suffix(".json").write_text("{}")
    with pytest.raises(encoders.WeightsDamaged, match="names no sha256"):
        weight_files.load_weights(make_small(1), path)


def test_a_damaged_export_is_made_anew(tmp_path, caplog):
    spec = NetworkSpec("small", SIDE, LAYERS, make_small)
    picture = np.random.default_rng(0).integers(0, 256, (1, SIDE, SIDE, 3)).astype(np.uint8)
    first = open_network(spec, device="cpu", cache_folder=tmp_path, threads=1).run(picture)["embedding"]
    (kept,) = tmp_path.glob("*.onnx")
    kept.write_bytes(kept.read_bytes()[:-1000])
    again = open_network(spec, device="cpu", cache_folder=tmp_path, threads=1).run(picture)["embedding"]
    np.testing.assert_array_equal(first, again)
    assert "is damaged; it is made anew" in caplog.text
    assert runtime._is_whole(kept)


def test_an_export_that_differs_is_refused():
    spec = NetworkSpec("small", SIDE, LAYERS, make_small)
    one, other = TorchNetwork(make_small(0), LAYERS, "cpu"), TorchNetwork(make_small(1), LAYERS, "cpu")
    check_parity(one, one, spec)
    with pytest.raises(ParityFailure, match=r"export of 'small' differs .* in layer 'embedding'"):
        check_parity(one, other, spec)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_asking_for_a_gpu_where_there_is_none_is_refused():
    with pytest.raises(encoders.EncoderUnavailable, match="'cuda' was asked for"):
        encoders.create_encoder("thimble-transfer", "cuda")


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_a_gpu_says_what_the_cpu_says():
    photos = draw_photos(8)
    on_gpu = encoders.create_encoder("thimble-transfer", "cuda").encode(photos)
    np.testing.assert_allclose(
        on_gpu, encoders.create_encoder("thimble-transfer", "cpu").encode(photos), atol=1e-2
    )


def test_vgg_without_weights_is_listed_with_the_exact_remedy(tmp_path):
    for name in ("vgg16-fc6", "vgg16-fc7"):
        info = encoders.find_encoder(name, weights_folder=tmp_path)
        assert (info.availability, info.dimensions, info.sign_structured) == ("weights-missing", 4096, True)
        assert f"Put vgg16-397923af.pth into {tmp_path}" in info.remedy
        assert "manage.py download_weights vgg16" in info.remedy
        with pytest.raises(encoders.EncoderUnavailable, match="download_weights"):
            encoders.create_encoder(name, weights_folder=tmp_path)


def test_29_vgg_under_the_right_name_with_other_bytes_never_runs(tmp_path):
    torch.save({"features.0.weight": torch.zeros(3)}, tmp_path / vgg.FILE_NAME)
    with pytest.raises(encoders.WeightsDamaged, match="is not the published file"):
        encoders.create_encoder("vgg16-fc6", "cpu", weights_folder=tmp_path)
    assert [path.name for path in tmp_path.glob("vgg*")] == [vgg.FILE_NAME]


def test_vgg_layers_are_torchvisions_hidden_layers():
    torchvision_ops.prepare()
    from torchvision.models import vgg16

    with torch.device("meta"):
        network = vgg16(weights=None, init_weights=False).eval()
    network.to_empty(device="cpu")
    numbers = torch.randn(100_003)  # repeated, since 138 million draws would take longer than the test
    with torch.no_grad():
        for parameter in network.parameters():
            scale = parameter[0].numel() ** -0.5 if parameter.ndim > 1 else 0.1
            parameter.copy_(
                (numbers * scale)
                .repeat(parameter.numel() // 100_003 + 1)[: parameter.numel()]
                .view_as(parameter)
            )
    layers = Vgg16Layers()
    layers.load_state_dict(
        {name: value for name, value in network.state_dict().items() if "classifier.6" not in name},
        assign=True,
    )
    picture = torch.randint(0, 256, (1, vgg.SIDE, vgg.SIDE, 3), dtype=torch.uint8)
    mean, std = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    with torch.inference_mode():
        fc6, fc7 = layers.eval()(picture)
        values = ((picture / 255.0 - mean) / std).permute(0, 3, 1, 2)
        values = network.avgpool(network.features(values)).flatten(1)
        torch.testing.assert_close(fc6, network.classifier[:2](values), rtol=1e-3, atol=1e-4)
        torch.testing.assert_close(fc7, network.classifier[:5](values), rtol=1e-3, atol=1e-4)
    assert fc6.min() == 0


def convert(content, source, target):
    """As if what is written were the published file."""
    torch.save(content, source)
    sha256 = hashlib.sha256(source.read_bytes()).hexdigest()
    weight_files.convert_pickle(source, target, sha256=sha256, keep=("features.",))


def test_29_published_pickles_are_converted_without_running_what_is_in_them(tmp_path):
    source, target = tmp_path / "net.pth", tmp_path / "net.safetensors"
    convert({"features.0.weight": torch.arange(4.0), "classifier.6.bias": torch.zeros(2)}, source, target)
    assert list(safetensors.torch.load_file(target)) == ["features.0.weight"]
    assert json.loads(target.with_suffix(".json").read_text())["source"] == "net.pth"

    indices, values = torch.tensor([[0, 1]]), torch.tensor([1.0, 2.0])
    sparse = torch.sparse_coo_tensor(indices, values, (2,), check_invariants=True)
    for trick in (Trap(), [1.0], sparse):
        with pytest.raises(encoders.WeightsDamaged, match="other things than"):
            convert({"features.0.weight": trick}, source, target)
    assert list(safetensors.torch.load_file(target)) == ["features.0.weight"]


class Trap:
    def __reduce__(self):
        return (pytest.fail, ("a pickle was run",))


@pytest.fixture
def published(tmp_path):
    """A published file that is served from the disk."""
    content = b"weights" * 1000
    (tmp_path / "web").write_bytes(content)
    sha256 = hashlib.sha256(content).hexdigest()
    return PublishedFile("net.pth", (tmp_path / "web").as_uri(), sha256)


def test_a_download_is_checked_and_done_once(tmp_path, published):
    reports = []
    target = weight_downloads.download(
        published, tmp_path / "w", report=lambda *report: reports.append(report)
    )
    assert target.read_bytes() == b"weights" * 1000
    assert reports[-1] == (7000, 7000)
    (tmp_path / "web").unlink()
    assert weight_downloads.download(published, tmp_path / "w", report=print) == target


def test_29_a_download_of_other_bytes_leaves_nothing(tmp_path, published):
    (tmp_path / "web").write_bytes(b"something else")
    with pytest.raises(encoders.WeightsDamaged, match=r"is not net\.pth"):
        weight_downloads.download(published, tmp_path / "w", report=lambda *_: None)
    assert list((tmp_path / "w").iterdir()) == []


def test_a_download_that_fails_says_how_to_go_round_it(tmp_path, published):
    (tmp_path / "web").unlink()
    with pytest.raises(weight_downloads.DownloadFailed, match=r"Fetch it on another machine and put it into"):
        weight_downloads.download(published, tmp_path / "w", report=lambda *_: None)


def test_the_networks_family_describes_itself_without_a_folder():
    assert [info.availability for info in vgg.describe(Surroundings())] == ["weights-missing"] * 2
