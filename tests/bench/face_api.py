"""The two small networks of the npm package @vladmandic/face-api (MIT) that read a face's expression, and its age and
sex: a development tool, by which directions are labelled and judged (tests/bench/fit_attributes.py).

Weights are TensorFlow.js' shards: a manifest in JSON, and numbers in float32, or in uint8 with a scale and a least."""

import json
from pathlib import Path

import click
import cv2
import numpy as np
import torch
from npm_files import PACKAGE, npm_files
from torch import Tensor
from torch.nn import functional as F

EXPRESSIONS = "neutral", "happy", "sad", "angry", "fearful", "disgusted", "surprised"
"""In the order of its outputs."""
ENDS = ".bin", "-weights_manifest.json"
SIDE = 112
MEAN = torch.tensor([122.782, 117.001, 104.298]).view(1, 3, 1, 1)
PADDING = 0.2
"""Around the landmarks, of their width and height in all."""


class FaceApi:
    """Both networks, fetched by npm."""

    def __init__(self) -> None:
        names = [f"{name}_model" for name in ("face_expression", "age_gender")]
        files = npm_files([f"model/{name}{end}" for name in names for end in ENDS])
        if files is None:
            raise click.ClickException(f"npm isn't there to fetch {PACKAGE}: install it first.")
        self.expression, self.age_gender = read(*files[:2]), read(*files[2:])

    @torch.no_grad()
    def expressions(self, faces: Tensor) -> Tensor:
        """How far each of EXPRESSIONS leads, of faces [N, 3, SIDE, SIDE] in 0 … 255: logits [N, 7]."""
        net, x = self.expression, normalised(faces)
        for number in range(4):
            x = dense_block(x, net, f"dense{number}/")
        return F.avg_pool2d(x, 7).flatten(1) @ net["fc/weights"] + net["fc/bias"]

    @torch.no_grad()
    def age_and_gender(self, faces: Tensor) -> Tensor:
        """The age [years], and how far "male" leads [a logit], of faces [N, 3, SIDE, SIDE] in 0 … 255: [N, 2]."""
        net = self.age_gender
        x = F.relu(conv(normalised(faces), net, "entry_flow/conv_in/", 2))
        x = reduction_block(x, net, "entry_flow/reduction_block_0/")
        x = reduction_block(F.relu(x), net, "entry_flow/reduction_block_1/", x)
        for number in range(2):
            prefix = f"middle_flow/main_block_{number}/"
            y = x
            for part in range(3):
                y = separable(F.relu(y), net, f"{prefix}separable_conv{part}/")
            x = x + y
        x = reduction_block(F.relu(x), net, "exit_flow/reduction_block/", x)
        x = F.avg_pool2d(F.relu(separable(x, net, "exit_flow/separable_conv/")), 7, 2).flatten(1)
        age, gender = (x @ net[f"fc/{name}/weights"] + net[f"fc/{name}/bias"] for name in ("age", "gender"))
        return torch.stack((age[:, 0], gender[:, 0] - gender[:, 1]), 1)


def read(shard: Path, manifest: Path) -> dict[str, Tensor]:
    """The tensors of a model, by name."""
    data, tensors = shard.read_bytes(), {}
    for group in json.loads(manifest.read_text()):
        at = 0
        for weight in group["weights"]:
            how, count = weight.get("quantization"), int(np.prod(weight["shape"]))
            values = np.frombuffer(data, how["dtype"] if how else weight["dtype"], count, at)
            at += values.nbytes
            values = values.astype(np.float32) * how["scale"] + how["min"] if how else values
            tensors[weight["name"]] = torch.from_numpy(np.array(values, np.float32).reshape(weight["shape"]))
    return tensors


def shown(picture: np.ndarray, landmarks: np.ndarray) -> Tensor:
    """The face with landmarks [68, 2] in a picture, uint8 RGB [H, W, 3], as the networks are shown it: a black square
    around it [1, 3, SIDE, SIDE], 0 … 255."""
    low, high = landmarks.min(0), landmarks.max(0)
    size = high - low
    low, high = np.floor(low - size * PADDING / 2), np.ceil(high + size * PADDING / 2)
    (x0, y0), (x1, y1) = (np.clip(at, 0, picture.shape[1::-1]).astype(int) for at in (low, high))
    part = picture[y0:y1, x0:x1]
    height, width = part.shape[:2]
    side = max(height, width)
    square = np.zeros((side, side, 3), np.uint8)
    top, left = (side - height) // 2, (side - width) // 2
    square[top : top + height, left : left + width] = part
    how = cv2.INTER_AREA if side > SIDE else cv2.INTER_LINEAR
    return torch.from_numpy(cv2.resize(square, (SIDE, SIDE), interpolation=how)).permute(2, 0, 1)[None].float()


def normalised(faces: Tensor) -> Tensor:
    return (faces - MEAN) / 255


def padded(x: Tensor, kernel: int, stride: int, value: float = 0.0) -> Tensor:
    """With TensorFlow's "same" border: the odd pixel to the right and below."""
    missing = max((-(-x.shape[-1] // stride) - 1) * stride + kernel - x.shape[-1], 0)
    return F.pad(x, (missing // 2, missing - missing // 2) * 2, value=value)


def conv(x: Tensor, net: dict[str, Tensor], prefix: str, stride: int) -> Tensor:
    weight = net[f"{prefix}filters"].permute(3, 2, 0, 1)
    return F.conv2d(padded(x, weight.shape[-1], stride), weight, net[f"{prefix}bias"], stride)


def separable(x: Tensor, net: dict[str, Tensor], prefix: str, stride: int = 1) -> Tensor:
    depthwise, pointwise = net[f"{prefix}depthwise_filter"].permute(2, 3, 0, 1), net[f"{prefix}pointwise_filter"]
    x = F.conv2d(padded(x, 3, stride), depthwise, stride=stride, groups=x.shape[1])
    return F.conv2d(x, pointwise.permute(3, 2, 0, 1), net[f"{prefix}bias"])


def dense_block(x: Tensor, net: dict[str, Tensor], prefix: str) -> Tensor:
    first = f"{prefix}conv0/"
    total = F.relu(conv(x, net, first, 2) if f"{first}filters" in net else separable(x, net, first, 2))
    for number in range(1, 4):
        total = total + separable(F.relu(total), net, f"{prefix}conv{number}/")
    return F.relu(total)


def reduction_block(x: Tensor, net: dict[str, Tensor], prefix: str, around: Tensor | None = None) -> Tensor:
    """x, through two convolutions and to half its side; `around`, x itself by default, goes past them."""
    y = separable(F.relu(separable(x, net, f"{prefix}separable_conv0/")), net, f"{prefix}separable_conv1/")
    y = F.max_pool2d(padded(y, 3, 2, -torch.inf), 3, 2)
    return y + conv(x if around is None else around, net, f"{prefix}expansion_conv/", 2)
