import pytest
import torch
from reference import built

from photodrag import weights
from photodrag.weights import kept_space, latent_space
from photodrag.weights.common.files import cache_folder


@pytest.fixture(scope="module", params=[1.0, 5.0], ids=["w", "p-norm"])
def space(face, request):
    return latent_space(face, request.param)


@pytest.fixture(scope="module")
def fresh(face):
    """Codes [3000, 1, 512] of z that the space was not made from."""
    return face.mapping(torch.randn(3000, 512, generator=torch.Generator().manual_seed(11)))[:, :1]


def test_true_samples_are_standard_normal(space, fresh):
    p = space.whiten(fresh)[:, 0]
    assert p.square().mean().sqrt() == pytest.approx(1, abs=0.01)
    assert space.rms(fresh).mean() == pytest.approx(1, abs=0.02)
    assert p.mean(0).abs().max() < 0.12
    variance = p.var(0)
    assert variance.min() > 0.8
    assert variance.max() < 1.25
    correlation = torch.corrcoef(p.T) - torch.eye(512)
    assert correlation.square().mean().sqrt() < 1.3 / 3000**0.5


def test_round_trip(space, fresh, codes):
    for w_plus in (fresh[:100], codes, 3 * codes):
        torch.testing.assert_close(space.unwhiten(space.whiten(w_plus)), w_plus, atol=1e-4, rtol=0)


def test_components_are_orthonormal_largest_first(space):
    torch.testing.assert_close(space.components @ space.components.T, torch.eye(512), atol=1e-5, rtol=0)
    assert (space.std.diff() <= 0).all()
    assert space.std[-1] > 0


def test_differentiable(space, codes):
    w_plus = codes.clone().requires_grad_()
    space.rms(w_plus).sum().backward()
    assert w_plus.grad.isfinite().all()
    assert w_plus.grad.abs().max() > 0


@pytest.mark.parametrize("space", [1.0], indirect=True)
def test_rms_of_a_truncated_code_is_its_psi(space, face, fresh):
    assert space.rms(fresh).shape == (3000,)
    assert space.rms(face.w_avg.expand(1, 16, -1)).item() < 1e-3
    for psi in (0.5, 0.7, 1.5):
        truncated = face.w_avg.lerp(fresh, psi)
        torch.testing.assert_close(space.rms(truncated), psi * space.rms(fresh), atol=1e-3, rtol=1e-3)


def test_seeded(face):
    first, again, other = (latent_space(face, samples=2000, seed=seed) for seed in (3, 3, 4))
    assert torch.equal(first.std, again.std)
    assert not torch.equal(first.std, other.std)
    torch.testing.assert_close(first.std, other.std, rtol=0.15, atol=0)


class Flat:
    """A generator that leaves half of its directions unused, and has classes."""

    z_dim, w_dim, w_avg = 8, 8, torch.zeros(8)

    def mapping(self, z, c=None):
        w = torch.cat((z[:, :4], torch.zeros_like(z[:, 4:])), 1)
        return (w if c is None else w + c).unsqueeze(1).repeat(1, 3, 1)


def test_unused_directions_and_classes():
    space = latent_space(Flat(), samples=500)
    w_plus = Flat().mapping(torch.randn(5, 8, generator=torch.Generator().manual_seed(0)))
    assert space.whiten(w_plus).isfinite().all()
    torch.testing.assert_close(space.unwhiten(space.whiten(w_plus)), w_plus, atol=1e-5, rtol=0)
    moved = latent_space(Flat(), samples=500, c=torch.full((1, 8), 100.0))
    assert (moved.mean > 95).all()


def test_a_class_of_one_code_alone():
    """A generator with classes and no z maps a class to one w."""
    generator = Flat()
    generator.mapping = lambda z, c=None: torch.ones(len(z), 3, 8)
    space = latent_space(generator, samples=500)
    assert space.whiten(torch.ones(1, 3, 8)).abs().max() < 1e-3
    torch.testing.assert_close(space.unwhiten(torch.randn(1, 3, 8)), torch.ones(1, 3, 8), atol=1e-4, rtol=0)


def test_kept_for_the_next_time(face, empty_cache):
    made = latent_space(face)

    def same(space):
        return all(torch.equal(getattr(space, part), getattr(made, part)) for part in ("mean", "components", "std"))

    assert same(kept_space(face))
    (file,) = cache_folder("spaces").iterdir()
    before = file.stat().st_mtime_ns
    assert same(kept_space(face)) and file.stat().st_mtime_ns == before
    for damage in (file.read_bytes()[:-9] + bytes(9), b""):
        file.write_bytes(damage)
        assert same(kept_space(face)) and file.stat().st_size > 10**6


def test_a_cache_that_cannot_be_written_does_not_matter(face, empty_cache):
    empty_cache.write_text("no folder")
    assert kept_space(face).std[-1] > 0


def test_codes_on_a_sphere(golden):
    """ProGAN's: nothing but a direction counts, and every code is natural."""
    generator = built(golden / "progan-tf-64.pkl")
    space = latent_space(generator, samples=1000)
    assert space.is_sphere
    w_plus = generator.mapping(torch.randn(3, 24, generator=torch.Generator().manual_seed(1)))
    torch.testing.assert_close(space.whiten(5 * w_plus), w_plus)
    torch.testing.assert_close(space.unwhiten(w_plus / 3), w_plus)
    torch.testing.assert_close(space.settled(2 * w_plus), w_plus)
    torch.testing.assert_close(space.rms(9 * w_plus), torch.ones(3))
    classes = latent_space(built(golden / "progan-tf-64.pkl", classes=4), samples=1000, c=torch.eye(4)[:1])
    assert not classes.is_sphere and torch.equal(classes.settled(w_plus), w_plus)


def test_a_sphere_is_kept(golden, empty_cache):
    generator = weights.load(golden / "progan-tf-64.pkl")
    for _ in range(2):
        assert kept_space(generator).is_sphere
    assert not kept_space(weights.load(golden / "stylegan1-tf-64.pkl")).is_sphere
