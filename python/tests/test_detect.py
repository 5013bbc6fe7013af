"""Detection: the program's numbers, whatever form the pixels have; many threads; ends in order."""

import errno
import os
import pickle
import shutil
import signal
import threading
import time
import warnings

import numpy as np
import pytest
from conftest import ROOT, same, table

import nucdet


def test_points_are_the_programs(program, tissue, images, detector, tmp_path):
    program("detect", tissue / "images", "--out", tmp_path / "found", "--quiet")
    total = 0
    for image in images:
        found = table(tmp_path / "found" / f"{image.stem}.csv")
        total += len(found)
        assert same(detector.detect(nucdet.read_image(image).pixels), found), image
        assert same(detector.detect(image), found), image
    assert len(images) == 50 and total > 200


@pytest.mark.parametrize("options", [{"exact": True}, {"threshold": 0.2}, {"tile": 64, "average": True}])
def test_settings_are_the_programs(program, images, options, tmp_path):
    weights = nucdet.weights_file("nuclei-he-classes")
    words = {"exact": ["--exact"], "threshold": ["--threshold", 0.2], "tile": ["--tile", 64], "average": ["--average", 8]}
    given = [word for name in options for word in words[name]]
    program("detect", *images[:2], "--out", tmp_path, "--model", weights, "--quiet", *given)
    detector = nucdet.Detector(weights, **options)
    assert detector.classes == ["lymphocyte", "stroma", "tumour"]
    for image in images[:2]:
        found = detector.detect(image)
        assert same(found, table(tmp_path / f"{image.stem}.csv", detector.classes))
        assert set(found["class"]) <= {0, 1, 2} and (found["class_probability"] > 0.3).all()


def test_pixel_size(program, images, detector, tmp_path):
    program("detect", images[0], "--out", tmp_path, "--mpp", 0.4, "--quiet")
    wanted = table(tmp_path / f"{images[0].stem}.csv")
    pixels = nucdet.read_image(images[0]).pixels
    assert same(detector.detect(pixels, 0.4), wanted) and same(detector.detect(images[0], mpp=0.4), wanted)
    assert same(detector.detect(pixels, scale=1.6), wanted)
    assert not same(detector.detect(pixels), wanted)
    with pytest.raises(ValueError, match="40 um"):
        detector.detect(pixels, 40)
    with pytest.raises(ValueError):
        detector.detect(pixels, 0.4, scale=1.6)


def test_every_form_of_the_pixels(detector, pixels, tmp_path):
    wanted = detector.detect(pixels)
    np.save(tmp_path / "pixels.npy", pixels)
    assert len(wanted) > 2
    padded = np.zeros((pixels.shape[0] + 3, pixels.shape[1] + 5, 3), np.uint8)
    padded[1:-2, 2:-3] = pixels
    opaque = np.dstack([pixels, np.full(pixels.shape[:2], 255, np.uint8)])
    forms = {
        "strided": padded[1:-2, 2:-3],
        "upside down twice": np.ascontiguousarray(pixels[::-1])[::-1],
        "Fortran's order": np.asfortranarray(pixels),
        "channels apart": np.ascontiguousarray(pixels.transpose(2, 0, 1)).transpose(1, 2, 0),
        "16 bits": pixels.astype(np.uint16) * 257,
        "big-endian": (pixels.astype(np.uint16) * 257).astype(">u2"),
        "floats to 1": pixels / np.float32(255),
        "doubles to 255": pixels.astype(np.float64),
        "opaque": opaque,
        "of a file": np.load(tmp_path / "pixels.npy", mmap_mode="r"),
        "read only": np.frombuffer(pixels.tobytes(), np.uint8).reshape(pixels.shape),
    }
    for name, form in forms.items():
        assert same(detector.detect(form), wanted), name


def test_a_file_that_does_not_say_its_pixel_size(detector, images, tmp_path):
    with pytest.warns(UserWarning, match=r"\.png: does not say how large its pixels are: 0\.25 um") as told:
        detector.detect(images[0])
    assert told[0].filename == __file__
    with pytest.warns(UserWarning, match="3 of 4 images are files") as told:
        detector.detect([*images[:3], nucdet.read_image(images[0]).pixels])
    assert len(told) == 1 and told[0].filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        detector.detect(images[0], 0.25)
        detector.detect(images[0], scale=1)
        detector.detect(nucdet.read_image(images[0]).pixels)


def test_notes(detector, pixels):
    told = []
    detector.detect([pixels, pixels.astype(np.uint16) * 16], on_note=told.append)
    assert len(told) == 1 and "12 bits in 16" in told[0]


def test_alpha_shows_glass(detector, pixels):
    clear = np.dstack([pixels, np.full(pixels.shape[:2], 255, np.uint8)])
    clear[:, :56, 3] = 0
    over_white = pixels.copy()
    over_white[:, :56] = 255
    assert same(detector.detect(clear), detector.detect(over_white))


def test_grey(detector, pixels):
    grey = pixels.mean(axis=2).astype(np.uint8)
    wanted = detector.detect(np.dstack([grey] * 3))
    assert same(detector.detect(grey), wanted) and same(detector.detect(grey[..., None]), wanted)


def test_no_copy_where_none_is_needed(pixels):
    from nucdet._images import as_pixels

    for array in (pixels, pixels[3:40, 5:50], pixels[..., 0].copy(), pixels.astype(np.uint16)[::2]):
        assert as_pixels(array) is array
    assert as_pixels(pixels[:, ::2]) is not pixels and as_pixels(pixels[:, ::2]).flags.c_contiguous


def test_lists(detector, images):
    told = []
    found = detector.detect(images[:3], on_progress=lambda done, of: told.append((done, of)))
    assert told == [(0, 3), (1, 3), (2, 3), (3, 3)]
    assert all(same(a, detector.detect(image)) for a, image in zip(found, images))
    assert detector.detect([]) == [] and detector.detect(iter([])) == []
    told.clear()
    again = detector.detect((nucdet.read_image(image).pixels for image in images[:3]), on_progress=lambda *now: told.append(now))
    assert told == [(0, 0), (1, 0), (2, 0), (3, 0)] and all(same(a, b) for a, b in zip(again, found, strict=True))
    with pytest.raises(FileNotFoundError, match="none"):
        detector.detect([images[0], "none.png", images[1]])


@pytest.mark.parametrize(
    ("image", "error", "words"),
    [
        (np.zeros((8, 8), np.bool_), TypeError, "bool"),
        (np.zeros((8, 8), np.complex64), TypeError, "complex"),
        (np.zeros((8, 8), np.int64), TypeError, "int64"),
        (np.zeros(8, np.uint8), ValueError, "height, width"),
        (np.zeros((3, 8, 8), np.uint8), ValueError, "channels come last"),
        (np.zeros((8, 0, 3), np.uint8), ValueError, "no pixels"),
        (np.full((8, 8, 3), np.nan, np.float32), ValueError, "finite"),
        (np.full((8, 8, 3), -1.0), ValueError, "negative"),
        ("no-such-file.png", FileNotFoundError, "no-such-file.png"),
        (b"no-such-file.png", TypeError, "bytes"),
        ([b"no-such-file.png"], TypeError, "image"),
    ],
)
def test_what_is_no_image(detector, image, error, words):
    with pytest.raises(error, match=words):
        detector.detect(image)


def test_weights_that_cannot_be_used(tmp_path):
    with pytest.raises(FileNotFoundError, match="missing") as told:
        nucdet.Detector(tmp_path / "missing.safetensors")
    assert told.value.errno == errno.ENOENT and told.value.filename == str(tmp_path / "missing.safetensors")
    with pytest.raises(ValueError, match="threshold|absolute"):
        nucdet.Detector(threshold=-1)
    with pytest.raises(ValueError, match="threads"):
        nucdet.Detector(threads=0)
    with pytest.raises(FileNotFoundError, match="nuclei-he-classes"):
        nucdet.weights_file("none")


def test_a_name_of_any_bytes(detector, pixels, images, tmp_path):
    name = os.fsdecode(os.fsencode(tmp_path / "kidney") + b"\xff\xfe.png")
    with open(name, "wb") as copy:
        copy.write(images[0].read_bytes())
    assert same(detector.detect(name), detector.detect(pixels))
    with pytest.raises(OSError, match="gone"):
        detector.detect(name + "gone")


def test_pickled(detector, pixels, tmp_path, monkeypatch):
    shutil.copy(nucdet.weights_file(), tmp_path / "mine.safetensors")
    monkeypatch.chdir(tmp_path)
    data = pickle.dumps(nucdet.Detector("mine.safetensors"))
    monkeypatch.chdir("/")
    assert same(pickle.loads(data).detect(pixels), detector.detect(pixels))


@pytest.mark.parametrize("threads", [1, 2])
def test_a_forked_process(threads, pixels):
    """Without the team of threads it is an error, not for ever; and the end of such a detector waits for nobody."""
    detector = nucdet.Detector(threads=threads)
    wanted = detector.detect(pixels[:64, :64])
    child = os.fork()
    if child == 0:
        signal.alarm(30)  # ends a child that hangs
        code = 9
        try:
            code = 0 if same(detector.detect(pixels[:64, :64]), wanted) else 8
        except RuntimeError as error:
            code = 1 if "spawn" in str(error) else 7
        finally:
            del detector
            os._exit(code)
    _, status = os.waitpid(child, 0)
    assert os.WIFEXITED(status) and os.WEXITSTATUS(status) == threads - 1


def test_maps(detector, pixels):
    maps = detector.maps(pixels)
    assert maps["map"].shape == (*pixels.shape[:2], 1) and maps["map"].dtype == np.float32
    x, y = np.round(detector.detect(pixels)[["x", "y"]].tolist()).astype(int).T
    assert (maps["map"][y, x, 0] > 0.3 * 5).all()


def test_threads_share_a_detector(images):
    """By four threads, with sizes of their own: every one gets what it gets alone."""
    detector = nucdet.Detector(threads=1)
    crops = [nucdet.read_image(images[i % 50]).pixels[: 48 + 16 * (i % 4)] for i in range(40)]
    wanted = [detector.detect(crop) for crop in crops]
    failures = []

    def work(first):
        for i in range(first, len(crops), 4):
            for _ in range(3):
                if not same(detector.detect(crops[i]), wanted[i]):
                    failures.append(i)

    threads = [threading.Thread(target=work, args=(k,)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def test_the_lock_is_free_meanwhile(pixels):
    detector = nucdet.Detector(threads=1)
    large = np.tile(pixels, (6, 6, 1))
    ticks, done = [], threading.Event()

    def tick():
        while not done.is_set():
            ticks.append(time.perf_counter())
            time.sleep(0.005)

    ticker = threading.Thread(target=tick)
    ticker.start()
    begin = time.perf_counter()
    detector.detect(large)
    end = time.perf_counter()
    done.set()
    ticker.join()
    assert sum(begin < t < end for t in ticks) > 5


def test_an_exception_ends_it(pixels):
    detector = nucdet.Detector(tile=64)
    told = []

    def stop(done, of):
        told.append((done, of))
        if done == 2:
            raise LookupError("enough")

    with pytest.raises(LookupError, match="enough"):
        detector.detect(np.tile(pixels, (3, 3, 1)), on_progress=stop)
    assert [done for done, _ in told] == [0, 1, 2] and told[0][1] == 36
    assert len(detector.detect(pixels)) > 0


def test_ctrl_c_ends_it(pixels):
    detector = nucdet.Detector(tile=64, threads=1)
    large = np.tile(pixels, (40, 40, 1))  # minutes
    told = []
    timer = threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        detector.detect(large, on_progress=lambda *now: told.append(now))
    assert told[-1][0] < told[-1][1] / 2


def resident():
    with open("/proc/self/statm", encoding="ascii") as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.skipif(not os.path.exists("/proc/self/statm"), reason="the system does not tell memory")
def test_memory_is_flat(pixels):
    detector = nucdet.Detector(ROOT / "tests" / "golden" / "weights_0_1.safetensors", threads=1)  # small
    forms = [pixels[:16, :16], pixels[10:26, 3:19], pixels[:16, :16].astype(np.uint16) * 257, pixels[:9, :16] / 255]
    for i in range(1000):
        detector.detect(forms[i % 4])
    before = resident()
    for i in range(9000):
        detector.detect(forms[i % 4])
        if i % 1000 == 0:
            with pytest.raises(ValueError):
                detector.detect(forms[0], 40)
    assert resident() - before < 2_000_000
