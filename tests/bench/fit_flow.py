"""Fits drag/flow_network.safetensors, the small network of optical flow that `--method flow` follows.

python tests/bench/fit_flow.py [--pictures N] [--steps N] [--kept FILE.npy] [--out FILE]

Its first pictures are crops of the generator's own, bent smoothly: shifted, turned, scaled, and pulled here and there,
by 16 of 256 px and more; its second are these crops as they are, so that the flow between them is known. Each has a
brightness, contrast, blur and noise of its own. The loss is the end-point error at each scale. At the end that error
on pictures kept back is printed, beside that of OpenCV's DIS and of no flow at all. Half a second a picture and 0.15 s
a step of a processor."""

import math
from pathlib import Path

import click
import cv2
import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor
from torch.nn import functional as F
from tqdm import tqdm

from photodrag import weights
from photodrag.drag.flow_network import FlowNet, warped

SIDE, CROP = 256, 128
"""Of the pictures, and of what of them is looked at."""
BATCH, LR = 4, 1.5e-3
KEPT_BACK = 12
"""Pictures for the end."""
SCALES = (0.2, 0.3, 1.0)
"""The weights of the errors, coarse to fine."""


@click.command()
@click.option("--pictures", default=72, show_default=True, type=click.IntRange(KEPT_BACK + 1))
@click.option("--steps", default=2400, show_default=True, type=click.IntRange(1))
@click.option("--seed", default=0, show_default=True)
@click.option("--kept", type=click.Path(dir_okay=False, path_type=Path), help="Where drawn pictures are kept.")
@click.option("--out", default="flow_network.safetensors", show_default=True, type=click.Path(dir_okay=False))
def main(pictures: int, steps: int, seed: int, kept: Path | None, out: str) -> None:
    drawn = np.load(kept) if kept and kept.exists() else draw(pictures)
    if kept and not kept.exists():
        np.save(kept, drawn)
    known = torch.from_numpy(drawn)
    torch.manual_seed(seed)
    random, network = torch.Generator().manual_seed(seed), FlowNet()
    optimiser = torch.optim.Adam(network.parameters(), LR)
    with tqdm(range(steps), disable=None) as bar:
        for step in bar:
            for group in optimiser.param_groups:
                group["lr"] = LR * min(1.0, (step + 1) / 50) * (0.02 + 0.49 * (1 + math.cos(math.pi * step / steps)))
            first, second, flow = examples(known[KEPT_BACK:], random, BATCH)
            loss = torch.zeros(())
            for weight, guess in zip(SCALES, network.scales(first, second), strict=True):
                loss = loss + weight * (errors(guess, flow) * seen(flow, guess.shape[-1])).mean()
            optimiser.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimiser.step()
            if step % 100 == 99:
                bar.set_postfix(loss=loss.item())
                write(network, out, pictures=len(known), steps=step + 1, seed=seed)
    network.eval().requires_grad_(False)
    click.echo(judged(network, known[:KEPT_BACK]))


def write(network: FlowNet, out: str, **facts: int) -> None:
    """The weights, as float16."""
    state = {name: tensor.half().contiguous() for name, tensor in network.state_dict().items()}
    told = {name: str(fact) for name, fact in facts.items()}
    save_file(state, out, told | {"generator": weights.digest("face")})


@torch.no_grad()
def draw(count: int) -> np.ndarray:
    """The generator's pictures, uint8 [count, 3, SIDE, SIDE]; half of them with another's colours."""
    weights.keep_freed_memory()
    generator, pictures = weights.load("face"), []
    for i in tqdm(range(count), desc="pictures", disable=None):
        z = torch.from_numpy(np.random.RandomState(9000 + i).randn(2, generator.z_dim)).float()
        shape, colours = generator.mapping(z, psi=(1.0, 0.8, 0.6)[i % 3])
        w_plus = torch.cat((shape[:7], colours[7:] if i % 2 else shape[7:]))[None]
        picture = F.avg_pool2d(generator.synthesis(w_plus), generator.resolution // SIDE)[0]
        pictures.append(((picture + 1) * 127.5).clamp(0, 255).round().byte().numpy())
    return np.stack(pictures)


def examples(pictures: Tensor, random: torch.Generator, count: int, side: int = CROP) -> tuple[Tensor, Tensor, Tensor]:
    """First and second pictures [count, 3, side, side], and the flow [count, 2, side, side] between them."""
    chosen = torch.randint(len(pictures), (count,), generator=random)
    seconds = []
    for i in chosen.tolist():
        y, x = (int(torch.randint(SIDE - side + 1, (), generator=random)) for _ in range(2))
        crop = pictures[i, :, y : y + side, x : x + side].float() / 127.5 - 1
        seconds.append(crop.flip(2) if torch.rand((), generator=random) < 0.5 else crop)
    second, flow = torch.stack(seconds), displacement(random, count, side)
    return photographed(warped(second, flow), random), photographed(second, random), flow


def displacement(random: torch.Generator, count: int, side: int) -> Tensor:
    """Smooth displacements [count, 2, side, side] in pixels: a similarity, pulls of places, and finer waves; the half
    of them with the similarity at a tenth, for in a drag most of a picture stays."""

    def chance(*shape: int) -> Tensor:
        return torch.rand(count, *shape, generator=random) * 2 - 1

    axis = torch.arange(side) - (side - 1) / 2
    y, x = torch.meshgrid(axis, axis, indexing="ij")
    at = torch.stack((x, y))[None]
    amount = torch.where(chance(1, 1, 1) < 0, 0.1, 1.0)
    angle, scale = 0.15 * chance(1, 1), 0.12 * chance(1, 1)
    turned = torch.stack((scale * x - angle * y, angle * x + scale * y), 1)
    flow = amount * (turned + 16 * chance(2, 1, 1))
    for _ in range(3):
        width = side * (0.06 + 0.1 * (chance(1, 1, 1) + 1))
        centre, pull = 0.5 * side * chance(2, 1, 1), chance(2, 1, 1) * width.clamp(max=16)  # so that nothing folds
        flow = flow + pull * torch.exp(-0.5 * ((at - centre) / width).square().sum(1, keepdim=True))
    waves = torch.randn(count, 2, 5, 5, generator=random) * (chance(1, 1, 1) + 1)
    return flow + F.interpolate(waves, size=(side, side), mode="bicubic", align_corners=False)


def photographed(picture: Tensor, random: torch.Generator) -> Tensor:
    """Pictures [N, 3, H, W] with another brightness and contrast, a little blurred, with noise."""
    n = len(picture)
    gain, lift, blur = (torch.rand(n, c, 1, 1, generator=random) for c in (3, 3, 1))
    soft = F.avg_pool2d(F.pad(picture, [1] * 4, mode="replicate"), 3, 1)
    picture = torch.lerp(picture, soft, 0.7 * blur) * (0.85 + 0.3 * gain) + 0.2 * (lift - 0.5)
    noise = torch.randn(picture.shape, generator=random) * 0.03 * torch.rand(n, 1, 1, 1, generator=random)
    return (picture + noise).clamp(-1, 1)


def errors(guess: Tensor, flow: Tensor) -> Tensor:
    """End-point errors [N, h, w] of a flow [N, 2, h, w] against the true one [N, 2, H, W]."""
    return (guess - F.avg_pool2d(flow, flow.shape[-1] // guess.shape[-1])).square().sum(1).add(1e-4).sqrt()


def seen(flow: Tensor, side: int) -> Tensor:
    """Which cells [N, side, side] the flow [N, 2, H, H] leads into the second picture, all of their pixels."""
    pixels = torch.arange(flow.shape[-1])
    y, x = torch.meshgrid(pixels, pixels, indexing="ij")
    goal = torch.stack((x, y)) + flow
    inside = ((goal >= 0) & (goal <= flow.shape[-1] - 1)).all(1, keepdim=True)
    return F.avg_pool2d(inside.float(), flow.shape[-1] // side)[:, 0] == 1


def judged(network: FlowNet, pictures: Tensor) -> str:
    """Mean end-point errors, in pixels, on whole pictures that were kept back; at the places where the true flow leads
    into the picture."""
    random = torch.Generator().manual_seed(99)
    first, second, flow = examples(pictures, random, 4 * len(pictures), SIDE)
    dis = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    by_dis = torch.stack([_by_dis(dis, *pair) for pair in zip(first, second, strict=True)])
    by_net = torch.cat([network(*pair) for pair in zip(first.split(4), second.split(4), strict=True)])
    inside = seen(flow, by_net.shape[-1])
    guesses = {"this network": by_net, "DIS": F.avg_pool2d(by_dis, 4), "no flow": torch.zeros_like(by_net)}
    found = {name: errors(guess, flow)[inside] for name, guess in guesses.items()}
    told = [f"{name} {error.mean():.2f}, median {error.median():.2f}" for name, error in found.items()]
    return f"end-point error in px of {SIDE}: {'; '.join(told)}"


def _by_dis(dis, first: Tensor, second: Tensor) -> Tensor:
    a, b = (cv2.cvtColor(_bytes(picture), cv2.COLOR_RGB2GRAY) for picture in (first, second))
    return torch.from_numpy(dis.calc(a, b, np.empty((0, 0), np.float32))).permute(2, 0, 1)


def _bytes(picture: Tensor) -> np.ndarray:
    return ((picture + 1) * 127.5).round().byte().permute(1, 2, 0).contiguous().numpy()


if __name__ == "__main__":
    main()
