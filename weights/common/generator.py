"""What every generator offers, and all that the stages use of one."""

from typing import Protocol, runtime_checkable

from torch import Tensor


class Generator(Protocol):
    """A network that draws pictures of R × R pixels from codes, in eval mode, float32, its weights without gradients.

    z [N, z_dim] → `mapping` → w_plus [N, num_ws, w_dim] → `synthesis` → RGB [N, 3, R, R], about [-1, 1]."""

    resolution: int
    """R, the side of its pictures in pixels."""
    z_dim: int
    w_dim: int
    c_dim: int
    """How many classes it has; 0 for none."""
    num_ws: int
    """How many codes w_plus has: one for each layer that reads one."""
    subject: str | None
    """What its pictures show; "face" for faces aligned as FFHQ's are, None where nobody knows."""
    digest: str
    """64 hexadecimal digits that stand for its weights: other digits, other weights."""
    has_ffhq_w: bool
    """Whether its W is that of StyleGAN2-FFHQ, so that what was fitted there (starting codes, axes, how landmarks
    follow a code) holds for its codes, too."""

    @property
    def w_avg(self) -> Tensor:
        """The mean w [w_dim] of random z, on the generator's device."""
        ...

    def mapping(self, z: Tensor, c: Tensor | None = None, psi: float = 1.0, cutoff: int | None = None) -> Tensor:
        """Map z [N, z_dim], with classes c [N, c_dim] (one-hot) where there are some, to w_plus [N, num_ws, w_dim],
        truncated towards `w_avg` by `psi` in the first `cutoff` codes (all of them by default).

        Raises ValueError where c is wanted and not given, or given and not wanted."""
        ...

    def synthesis(self, w_plus: Tensor, noise: str = "const") -> Tensor:
        """The picture of w_plus [N, num_ws, w_dim]: [N, 3, R, R], RGB, about [-1, 1]; differentiable.

        noise: "const" adds the network's own constant noise, "none" leaves it out."""
        ...

    def features(self, w_plus: Tensor, resolution: int, noise: str = "const") -> Tensor:
        """What the synthesis block of that resolution gives: [N, C, resolution, resolution]; differentiable. Nothing
        beyond that block is computed. Raises ValueError for a resolution that no block has."""
        ...

    def codes_read(self, resolution: int) -> int:
        """How many codes, from the coarsest, `features` of that resolution depend on."""
        ...

    def style_weights(self) -> list[Tensor]:
        """For each of the num_ws codes what takes it to the styles of the layer that reads it, the RGB layer only for
        the last code: [C, w_dim]. What SeFa factorises; rows are in any scale."""
        ...


@runtime_checkable
class MovableGenerator(Generator, Protocol):
    """A generator whose pictures can be moved and turned whatever their code: a StyleGAN3."""

    def moved(self, x: float = 0.0, y: float = 0.0, roll: float = 0.0) -> Generator:
        """The same network, whose pictures are moved by (x, y) pixels after being turned clockwise by `roll` degrees
        around their middle."""
        ...
