"""The script that fits directions of attributes: its algebra, and the weights of networks that it reads."""

import json

import face_api
import fit_attributes as bench
import numpy as np
import torch
from torch.nn import functional as F


def test_each_direction_raises_its_own_reading_alone_and_changes_least():
    random = np.random.RandomState(0)
    gradients, identity = random.randn(40, 4), 0.1 * random.randn(40, 7)
    ways = bench.least_change(gradients, identity)
    assert np.allclose(gradients.T @ ways, np.eye(4))

    def cost(d: np.ndarray) -> float:
        return d @ d + bench.IDENTITY * np.square(d @ identity).sum()

    free = np.eye(40) - gradients @ np.linalg.pinv(gradients)  # leaves all readings as they are
    for way in ways.T:
        for _ in range(20):
            assert cost(way + 1e-2 * free @ random.randn(40)) > cost(way)


def test_numbers_of_tensorflow_js_are_read(tmp_path):
    """Whole ones of 8 bits with a scale and a least, and floats behind them."""
    shard, manifest = tmp_path / "m.bin", tmp_path / "m.json"
    shard.write_bytes(bytes([0, 10, 20, 255]) + np.array([1.5, -2], "<f4").tobytes())
    how = {"dtype": "uint8", "scale": 0.5, "min": -3.0}
    listed = [{"name": "a", "shape": [2, 2], "dtype": "float32", "quantization": how}]
    listed += [{"name": "b", "shape": [2], "dtype": "float32"}]
    manifest.write_text(json.dumps([{"weights": listed, "paths": ["m.bin"]}]))
    read = face_api.read(shard, manifest)
    assert read["a"].tolist() == [[-3.0, 2.0], [7.0, 124.5]] and read["b"].tolist() == [1.5, -2.0]


def test_the_odd_pixel_of_a_border_lies_to_the_right_and_below():
    """TensorFlow's rule: of 112 pixels and a step of 2 the first window begins in the picture; of 7 before it."""
    assert face_api.padded(torch.ones(1, 1, 112, 112), 3, 2)[0, 0, 0, 0] == 1
    assert face_api.padded(torch.ones(1, 1, 112, 112), 3, 2).shape[-1] == 113
    even = face_api.padded(torch.ones(1, 1, 7, 7), 3, 2)
    assert even.shape[-1] == 9 and even[0, 0, 0, 0] == 0
    assert F.max_pool2d(even, 3, 2).shape[-1] == 4
