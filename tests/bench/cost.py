"""What things cost, as ratios to a = one full `face` picture with its gradient, all in one run.

python tests/bench/cost.py [--photo PHOTO] [--rounds N]

First the network's parts and the foldings that make it lean, each against the plain form it replaced
(the published layers one by one: scale, step, scale, convolve, scale, convolve, add, add, activate);
then, in processes of their own, whole edits of PHOTO and of a 12-megapixel copy of it, with nothing
cached and with the inversion cached, and their peak memory. Exit code 1 if an edit costs more than ASKED."""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import click
import torch
from PIL import Image
from torch.nn import functional as F

from photodrag import weights
from photodrag.invert import perceptual
from photodrag.weights.networks.mobile import HAAR, SLOPE

ASTRONAUT = Path(__file__).parents[2] / "data" / "astronaut.png"
DRAG = (0.535, 0.345, 0.545, 0.33)
"""Handle and target on the astronaut, as shares of its sides: a mouth corner."""
ASKED = {"nothing cached": 50, "inversion cached": 25}
"""Of PHOTO's whole edit, in a: a drag by features, which takes longer than one by landmarks."""
MEMORY = 2.0
"""GiB, of any edit."""


def plain(generator, w_plus):
    """The picture by the published layers, nothing folded."""

    def styled(conv, x, w):
        style = conv.style(w) * conv.gain
        x = x * style[..., None, None]
        if conv.depthwise is not None:
            x = F.conv2d(x, conv.depthwise, padding=1, groups=x.shape[1])
        x = F.conv2d(x, conv.weight, padding=conv.weight.shape[-1] // 2)
        return F.leaky_relu(x + conv.noise + conv.bias[:, None, None], SLOPE)

    def inverse_haar(x):
        n, c, h, w = x.shape
        bands = x.view(n, c // 4, 4, h, w)
        pixels = torch.einsum("nkbhw,bij->nkhiwj", bands, HAAR.to(x))
        return pixels.reshape(n, c // 4, 2 * h, 2 * w)

    x = styled(generator.b4, generator.const, w_plus[:, 0])
    for i, block in enumerate(generator.blocks):
        w0, w1 = w_plus[:, 2 * i + 1], w_plus[:, 2 * i + 2]
        x = inverse_haar(x * block.up_style(w0)[..., None, None])
        x = styled(block.conv1, styled(block.conv0, x, w0), w1)
    style = generator.to_rgb_style(w_plus[:, -1]) * generator.to_rgb_weight.shape[1] ** -0.5
    return inverse_haar(F.conv2d(x * style[..., None, None], generator.to_rgb_weight, generator.to_rgb_bias))


def seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def medians(work: dict[object, Callable[[], object]], rounds: int) -> dict[object, float]:
    """Median seconds of each piece of work; they take turns, so that a busy machine slows all alike."""
    times = {name: [] for name in work}
    for i in range(rounds + 1):
        for name, run in work.items():
            spent = seconds(run)
            if i:
                times[name].append(spent)
    return {name: statistics.median(spent) for name, spent in times.items()}


def parts(rounds: int) -> dict[str, float]:
    """`medians` of the network's parts."""
    generator, vgg = weights.load("face"), perceptual.load("st-lpips-vgg")
    alex = perceptual.load("st-lpips-alex")
    old = weights.load("face").to(memory_format=torch.contiguous_format)
    w = generator.w_avg.expand(1, generator.num_ws, -1).clone().requires_grad_()
    picture = torch.rand(1, 3, 256, 256, requires_grad=True)
    small = torch.rand(1, 3, 128, 128, requires_grad=True)

    def forward(f):
        with torch.no_grad():
            f()

    def gradient(f):
        out = f()
        torch.autograd.grad(out, w if out.shape[0] == 1 and out.dim() == 4 else picture, torch.ones_like(out))

    def distance(net, x):
        torch.autograd.grad(sum(m.square().sum() for m in net.maps(x)), x)

    work = {
        "full picture with gradient (a)": lambda: gradient(lambda: generator.synthesis(w)),
        "full picture": lambda: forward(lambda: generator.synthesis(w)),
        "plain form, full picture with gradient": lambda: gradient(lambda: plain(old, w)),
        "plain form, full picture": lambda: forward(lambda: plain(old, w)),
        **{
            f"features({r}) with gradient": lambda r=r: gradient(lambda: generator.features(w, r))
            for r in (64, 128, 256)
        },
        "st-lpips-vgg at 256 with gradient": lambda: distance(vgg, picture),
        "the same as a loss": lambda: distance(vgg.quick, picture),
        "st-lpips-vgg at 128 with gradient": lambda: distance(vgg, small),
        "st-lpips-alex at 256 with gradient": lambda: distance(alex, picture),
    }
    with torch.no_grad():
        worst = (plain(old, w) - generator.synthesis(w)).abs().max().item()
    click.echo(f"lean and plain form agree to {worst:.1e}")
    return medians(work, rounds)


def edits(photo: Path) -> dict[str, dict]:
    """Whole edits as a person runs them, with an empty cache of inversions and a full one: seconds, peak
    memory in GiB of the process, and its own seconds a stage."""
    results = {}
    with tempfile.TemporaryDirectory() as folder:
        cache = Path(folder, "cache")
        cache.mkdir()
        os.symlink(weights.get("face").parent, cache / "weights")
        large = Path(folder, "large.jpg")
        picture = Image.open(photo).convert("RGB")
        factor = (12e6 / (picture.width * picture.height)) ** 0.5
        size = (round(picture.width * factor), round(picture.height * factor))
        picture.resize(size, Image.Resampling.BICUBIC).save(large, quality=95)
        for name, path in ((picture.size, photo), (size, large)):
            for state in ("nothing cached", "inversion cached"):
                results[f"whole edit, {name[0]} × {name[1]}, {state}"] = run_edit(path, name, folder, cache)
    return results


def run_edit(path: Path, size: tuple[int, int], folder: str, cache: Path) -> dict:
    x, y, u, v = (share * side for share, side in zip(DRAG, (*size, *size), strict=True))
    out = Path(folder, "out").with_suffix(path.suffix)
    command = [sys.executable, "-m", "photodrag.pipeline.cli", "edit", str(path), "--out", str(out), "--json"]
    command += ["--drag", f"{x:.1f},{y:.1f}:{u:.1f},{v:.1f}"]
    measured = "import resource, subprocess, sys; p = subprocess.run(sys.argv[1:]); "
    measured += "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss); sys.exit(p.returncode)"
    began = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", measured, *command],
        env={**os.environ, "PHOTODRAG_CACHE": str(cache)},
        stdout=subprocess.PIPE,
        check=True,
        text=True,
    )
    *report, peak = done.stdout.strip().splitlines()
    stages = json.loads("\n".join(report))["seconds"]
    return {"seconds": time.perf_counter() - began, "peak": int(peak) / 2**20, "stages": stages}


@click.command()
@click.option("--photo", default=str(ASTRONAUT), show_default=True, type=click.Path(exists=True))
@click.option("--rounds", default=5, show_default=True)
def main(photo: str, rounds: int) -> None:
    click.echo(f"PyTorch {torch.__version__}, {torch.get_num_threads()} threads")
    fresh = statistics.median(parts_without_kept_memory())
    weights.keep_freed_memory()
    times = parts(rounds)
    a = times["full picture with gradient (a)"]
    click.echo(f"a = {a:.3f} s; without keep_freed_memory {fresh / a:.2f} a")
    for name, spent in times.items():
        click.echo(f"{name:45s} {spent:7.3f} s {spent / a:7.2f} a")
    good, results = True, edits(Path(photo))
    for i, (name, figures) in enumerate(results.items()):
        spent = figures["seconds"]
        good &= figures["peak"] <= MEMORY and (i >= len(ASKED) or spent / a <= ASKED[name.rsplit(", ", 1)[1]])
        click.echo(f"{name:50s} {spent:6.1f} s {spent / a:6.1f} a, peak {figures['peak']:.2f} GiB, {figures['stages']}")
    sys.exit(not good)


def parts_without_kept_memory() -> list[float]:
    """Seconds of a, before the process keeps its freed memory."""
    generator = weights.load("face")
    w = generator.w_avg.expand(1, generator.num_ws, -1).clone().requires_grad_()

    def picture():
        out = generator.synthesis(w)
        torch.autograd.grad(out, w, torch.ones_like(out))

    return [seconds(picture) for _ in range(4)][1:]


if __name__ == "__main__":
    main()
