from dataclasses import replace

import pytest
import torch

from photodrag.weights import latent_space, sensitive_axes


@pytest.fixture(scope="module")
def space(face):
    return latent_space(face)


def test_orthonormal_and_the_space_stays_the_same(space, codes):
    axes = sensitive_axes(space)
    torch.testing.assert_close(axes @ axes.T, torch.eye(512), atol=1e-5, rtol=0)
    turned = space.turned(axes)
    torch.testing.assert_close(turned.rms(codes), space.rms(codes))
    torch.testing.assert_close(turned.unwhiten(turned.whiten(codes)), codes, atol=1e-4, rtol=0)


def test_pictures_differ_most_along_the_first(face, space):
    turned = space.turned(sensitive_axes(space))
    p = torch.randn(1, 1, 512, generator=torch.Generator().manual_seed(3)).mul(0.7).expand(1, face.num_ws, -1)
    picture = face.synthesis(turned.unwhiten(p))

    def change(coordinates: slice) -> float:
        moved = p.clone()
        moved[..., coordinates] += 0.1
        return (face.synthesis(turned.unwhiten(moved)) - picture).square().mean().item()

    assert change(slice(0, 16)) > 10 * change(slice(-16, None))


def test_signs_of_an_eigensolver_do_not_matter(space):
    signs = torch.ones(512, 1)
    signs[::3] = -1
    other = replace(space, components=space.components * signs)
    p = torch.randn(5, 512, generator=torch.Generator().manual_seed(4))
    a, b = (s.turned(sensitive_axes(s)).unwhiten(p) for s in (space, other))
    torch.testing.assert_close(a, b, atol=1e-4, rtol=0)


def test_none_for_another_space(face, space):
    stretched = space.std * torch.linspace(0.8, 1.2, 512)
    assert sensitive_axes(replace(space, std=stretched)) is None
    assert sensitive_axes(latent_space(face, slope=5.0, samples=2000)) is None
    small = replace(space, mean=torch.zeros(8), components=torch.eye(8), std=torch.ones(8))
    assert sensitive_axes(small) is None
