"""The end of a network in strips: what the whole gives, and its gradients."""

import pytest
import torch
from torch import nn

from photodrag.weights.networks import mobile
from photodrag.weights.networks.strips import Strip, in_strips, strips_of


def test_strips_cover_the_rows_and_read_beyond_them():
    assert list(strips_of(10, 3, 2)) == [Strip(0, 3, 0, 5), Strip(3, 6, 1, 8), Strip(6, 10, 4, 10)]


@pytest.mark.parametrize("count", [1, 2, 5])
def test_gradients_are_the_wholes(count):
    random = torch.Generator().manual_seed(0)
    x, weight, still = (torch.randn(shape, generator=random).double() for shape in ((2, 3, 11, 7), (4, 3, 3, 3), (4,)))
    x.requires_grad_(), weight.requires_grad_()

    def part(rows, others, strip):
        y = nn.functional.conv2d(rows, others[0], others[1], padding=1)
        return y[:, :, strip.first - strip.above : strip.last - strip.above].tanh()

    whole = nn.functional.conv2d(x, weight, still, padding=1).tanh()
    parts = in_strips(part, x, [weight, still], count, reach=1)
    torch.testing.assert_close(parts, whole)
    pull = torch.randn(whole.shape, generator=random).double()
    for a, b in zip(*(torch.autograd.grad(y, (x, weight), pull) for y in (parts, whole)), strict=True):
        torch.testing.assert_close(a, b)


def test_a_picture_is_the_same_in_any_number_of_strips(face, monkeypatch):
    """And what its blocks one after the other make; so are the gradients of code and weights, which tuning asks
    for."""
    code = face.mapping(torch.randn(1, face.z_dim, generator=torch.Generator().manual_seed(3)))
    weight, found = face.blocks[-1].conv0.weight, []
    for rows in (1024, 64):
        monkeypatch.setattr(mobile, "STRIP", rows)
        w_plus, kernel = code.clone().requires_grad_(), weight.detach().clone().requires_grad_()
        with monkeypatch.context() as patch:
            patch.setitem(face.blocks[-1].conv0._parameters, "weight", nn.Parameter(kernel))
            image = face.synthesis(w_plus)
            own = face.blocks[-1].conv0.weight
            found.append((image.detach(), *torch.autograd.grad(image.square().mean(), (w_plus, own))))
    with torch.no_grad():
        style = face.to_rgb_style(code[:, -1]) * face.to_rgb_weight.shape[1] ** -0.5
        bands = mobile.scaled_conv(face.features(code, 512), style, face.to_rgb_weight, face.to_rgb_bias)
        torch.testing.assert_close(found[1][0], mobile.inverse_haar(bands), rtol=0, atol=1e-5)
    for whole, parts in zip(*found, strict=True):
        torch.testing.assert_close(parts, whole, rtol=1e-3, atol=1e-6)
