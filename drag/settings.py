"""What a drag by this project's method is told to do.

Lengths are in pixels of a 512² picture, as in the papers, and scale with the generator's picture: not with its
features, though a small generator's are coarser (see docs/design-notes.md#lengths-of-a-drag)."""

from dataclasses import dataclass, field

from photodrag.weights.common.bounds import check_numbers


@dataclass(frozen=True)
class LandmarkGuidedSettings:
    """Of a drag that is guided by landmarks (landmark_guided.py)."""

    least_head_move: float = 0.03
    """How far a point of the skull is to go, in parts of the face's width, for the drag to be of the head."""
    steps: int = 24
    """Pictures looked at, at most."""
    codes: int = 7
    """That move, from the coarsest: the later ones colour and polish."""
    measurement_variance: float = 10.0
    """Of where a landmark is read; the larger it is, the shorter the way. Half after the first look and after each step
    that gained something, twice after one that didn't (Marquardt 1963), which makes the next step shorter, too, by the
    trust in it (Levenberg 1944): a third after one that didn't, twice, but no more than all, after one that did."""
    least_measurement_variance: float = 0.03
    """It is never less than this for each handle: many together trust the model too far."""
    broyden_damping: float = 5.0
    """Chance has its share in what is learnt of a step, as if its squared length were longer by so much: landmarks
    jump by half a pixel, which after a short step would pass for a steep slope, and shorten all that follow."""
    identity: float = 30.0
    """Of the squared change of the identity descriptor, against the squared length of the way."""
    identity_each: float = 1.75
    """It is never less than this for each handle: many together outweigh it, and take another's likeness where they
    could do without (see docs/design-notes.md#identity-of-many-handles)."""
    arrival_distance: float = 0.5
    """Mean distance from the targets at which a drag has arrived."""
    progress: float = 0.05
    """What counts as such, in the mean distance."""
    least_gain: float = 0.0
    """What counts as such at least, in parts of the distance at the start."""
    patience: int = 5
    """Steps without progress, each more cautious than the one before, until it is called stalled."""
    most_taken_back: int = 5
    """Looks at which no face was seen, each nearer to the best one than the one before, until it is called stalled."""
    odd_radius: float = 0.5
    """How far (root mean square) a code may move from its start where the oddness (see `oddness`) is 1; less with its
    root (see docs/design-notes.md#how-far-a-code-may-go-for-landmarks)."""
    radius: tuple[float, float] = (0.2, 0.8)
    """At least, and at most."""
    max_rms: float = 1.1
    """The root mean square that it may reach, or its own at the start where that is larger."""
    parts: bool = False
    """Whether drags of parts of a face are guided, too, whatever the mask. It then may change in ways that landmarks
    don't tell: right where only an eye or a mouth of the picture is looked at, and how the landmarks moved."""
    held: float = 0.5
    """Then landmarks that no handle leads are held as if they were handles, of this weight."""

    def __post_init__(self) -> None:
        check_numbers(self)


@dataclass(frozen=True)
class DragSettings:
    """Of a drag by features (loop.py), and by landmarks where they guide it."""

    steps: int = 120
    """At most; DragGAN's evaluation allows 300."""
    feature_side: int = 128
    """Of the feature maps: DragGAN's sixth block."""
    codes: int = 7
    """That move, from the coarsest, as far as the features depend on them; DragGAN moves 6."""
    lr: float = 0.03
    """Adam's, on the whitened code: natural codes have deviation 1."""
    patch_radius: float = 16.0
    """DragGAN's r1 is 3; a larger patch has enough of a contour in it to be told from its neighbour."""
    search_radius: float = 12.0
    """Within which a handle is looked for: DragGAN's r2."""
    look_ahead: float = 4.0
    """The most that motion supervision asks a point to move in a step (DragGAN: 1)."""
    locality_weight: float = 2.0
    """λ of the features outside the mask (FreeDrag: 10, DragGAN's code: 20)."""
    locality_radius: float = 200.0
    """Without a mask, what is far from all handles and targets is held: its weight is 1 − exp(−(d / this)²)."""
    arrival_distance: float = 1.0
    """Distance at which a handle has arrived, up to 5 points; twice that for more (DragGAN)."""
    patience: int = 15
    """Steps without progress until the drag is called stalled."""
    progress: float = 0.02
    """What counts as such, in the mean distance."""
    max_setback: float = 6.0
    """A step that leaves the handles this much farther than the best state is taken back."""
    max_growth: float = 1.25
    """A step after which features have grown by more than this factor, in their mean absolute value, is taken back."""
    max_rms: float = 1.1
    """The root mean square that a moved whitened code may reach, or its own at the start where that is larger."""
    radius: float = 0.35
    """How far (root mean square) a code may move from its start (see docs/design-notes.md#how-far-a-code-may-move)."""
    rounds: int = 3
    """At most, where landmarks are looked at after each (see docs/design-notes.md#rounds-of-a-drag)."""
    landmark_arrival_distance: float = 1.5
    """Distance at which a handle has arrived by the landmarks, which are found to half a pixel."""
    round_gain: float = 0.8
    """A round after the first that leaves more than this of the mean distance was the last."""
    later_radius: float = 0.28
    """`radius` of the rounds after the first, and no other begins beyond it: who has come so far was asked for more
    than a face does (see docs/design-notes.md#rounds-of-a-drag)."""
    early_stop_slack: float = 0.05
    """What a stalled drag gives up, in parts of its whole way, for a state half way to it (see
    docs/design-notes.md#a-stalled-drag-goes-back)."""
    landmark_guided: LandmarkGuidedSettings = field(default_factory=LandmarkGuidedSettings)
    """Where landmarks guide it."""

    def __post_init__(self) -> None:
        endless = float("inf")  # never arriving, and guards that are off, are for experiments
        unbounded = {"arrival_distance": (-1, 1e6), "max_setback": (-endless, endless), "max_growth": (0, endless)}
        free = {"radius": (0, endless), "max_rms": (0, endless)}
        check_numbers(self, feature_side=(1, 4096), codes=(1, 64), rounds=(1, 100), **unbounded, **free)
