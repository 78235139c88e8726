"""A perceptual distance as a loss: in bfloat16 where the processor has it, itself elsewhere."""

import pytest
import torch

from photodrag.invert import perceptual

BLURRED = torch.nn.AvgPool2d(9, 1, 4, count_include_pad=False)


@pytest.fixture(scope="module")
def pictures() -> torch.Tensor:
    """[2, 3, 96, 96], one a blur of the other."""
    sharp = torch.rand(1, 3, 96, 96, generator=torch.Generator().manual_seed(3)) * 2 - 1
    return torch.cat((sharp, BLURRED(sharp)))


def gradient(distance, pictures):
    image = pictures[:1].clone().requires_grad_()
    value = distance(image, pictures[1:])
    return value.item(), torch.autograd.grad(value, image)[0].flatten()


def test_it_says_and_pulls_nearly_the_same(pictures, monkeypatch):
    monkeypatch.setattr(perceptual, "multiplies_bfloat16", lambda: True)
    full = perceptual.load("st-lpips-vgg")
    quick = full.quick
    assert quick is not full and quick is full.quick and quick.name == full.name
    assert {str(m.dtype) for m in quick.maps(pictures)} == {"torch.float32"}
    (value, way), (near, nearly) = gradient(full, pictures), gradient(quick, pictures)
    assert near == pytest.approx(value, rel=0.01)
    assert torch.cosine_similarity(way, nearly, 0) > 0.99
    assert full.slices[0][0].weight.dtype == torch.float32


def test_it_is_itself_where_the_processor_lacks_bfloat16(monkeypatch):
    monkeypatch.setattr(perceptual, "multiplies_bfloat16", lambda: False)
    full = perceptual.load("st-lpips-vgg")
    assert full.quick is full


def test_an_older_pytorch_says_nothing_of_the_processor(monkeypatch):
    monkeypatch.delattr(torch.cpu, "get_capabilities", raising=False)
    assert perceptual.multiplies_bfloat16() is False
