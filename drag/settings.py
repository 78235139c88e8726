"""What a drag by this project's method is told to do."""

from dataclasses import dataclass, field

from photodrag.drag.led import LeadSettings


@dataclass(frozen=True)
class DragSettings:
    """Lengths are in pixels of a 512² picture, as in the papers, and scale with the generator: with its picture
    and not with its features, though a small one's are coarser. On features of `face` at 16² and 32² lengths of
    more cells took more steps, and the landmarks followed no better."""

    steps: int = 120
    """At most; DragGAN's evaluation allows 300."""
    resolution: int = 128
    """Of the features, DragGAN's sixth block."""
    codes: int = 7
    """That move, from the coarsest, as far as the features depend on them; DragGAN moves 6."""
    lr: float = 0.03
    """Adam's, on the whitened code: natural codes have deviation 1."""
    patch: float = 16.0
    """DragGAN's r1 is 3; a larger patch has enough of a contour in it to be told from its neighbour."""
    window: float = 12.0
    """DragGAN's r2."""
    step: float = 4.0
    """The most that motion supervision looks ahead (DragGAN: 1)."""
    hold: float = 2.0
    """λ of the features outside the mask (FreeDrag: 10, DragGAN's code: 20)."""
    reach: float = 200.0
    """Without a mask, what is far from all handles and targets is held: its weight is 1 − exp(−(d / reach)²)."""
    arrive: float = 1.0
    """Distance at which a handle has arrived, up to 5 points; twice that for more (DragGAN)."""
    patience: int = 15
    """Steps without progress until the drag is called stalled."""
    progress: float = 0.02
    """What counts as such, in the mean distance."""
    lost: float = 6.0
    """A step that leaves the handles this much farther than the best state is taken back."""
    growth: float = 1.25
    """Features may grow by this factor in their mean absolute value."""
    shell: float = 1.1
    """The root mean square that a moved whitened code may reach, or its own at the start where that is larger."""
    radius: float = 0.35
    """How far (root mean square) a code may move from its start: a turned head takes 0.3, and of random drags
    those that moved it by 0.4 and more left a face only to the detector."""
    rounds: int = 3
    """At most, where landmarks are looked at after each: of 19 drags of a landmark on three portraits, by 4 % of the
    face's width, the median of what was left fell from 0.4 of the way to 0.16, with half as many steps again."""
    seen: float = 1.5
    """Distance at which a handle has arrived by the landmarks, which are found to half a pixel."""
    gain: float = 0.8
    """A round after the first that leaves more than this of the mean distance was the last."""
    again: float = 0.28
    """`radius` of the rounds after the first, and no other begins beyond it: who has come so far was asked for more
    than a face does, and in further rounds a wide smile pinched the cheeks and raised brows were rubbed out."""
    sooner: float = 0.05
    """What a stalled drag gives up, in parts of its whole way, for a state half way to it. A mouth whose corners should
    go up by a sixth of the face's width, beside a nose that stays, came no nearer after the first third of its states
    and was rubbed out by those that followed."""
    led: LeadSettings = field(default_factory=LeadSettings)
    """Where landmarks lead."""
