"""Dragging the head by landmarks: what leads, how well the linear model knows, where the landmarks arrive."""

from dataclasses import replace
from itertools import count

import numpy as np
import pytest
import torch

from photodrag.drag import DragSettings, Landmarks, drag
from photodrag.drag.contours import on_contours
from photodrag.drag.face_model import face_model
from photodrag.drag.landmark_guided import landmark_guided_steps
from photodrag.drag.landmark_search import LandmarkSearch, Look, oddness, shortest
from photodrag.drag.settings import LandmarkGuidedSettings
from photodrag.drag.state import DragState, finished
from photodrag.drag.together import moved_together
from photodrag.invert.quality import to_uint8
from photodrag.pipeline.editing.face_drag import followed, for_a_photo
from photodrag.pipeline.faces.detection import detect
from photodrag.weights import latent_space, sensitive_axes

NOSE, CORNER = 30, 48


@pytest.fixture(scope="module")
def model(face, space):
    return face_model(face, space)


@pytest.fixture(scope="module")
def person(person):
    """Their landmarks as a drag takes them, too."""
    return *person, followed(person[1])


@pytest.fixture(scope="module")
def other(face):
    """The landmarks of somebody else."""
    z = torch.from_numpy(np.random.RandomState(5).randn(1, face.z_dim)).float()
    return detect(to_uint8(face.synthesis(face.mapping(z, psi=0.7))))[0].landmarks


def test_points_between_two_landmarks(person):
    landmarks = person[1]
    points = np.stack((landmarks[NOSE], 0.75 * landmarks[3] + 0.25 * landmarks[4]))
    weights = on_contours(points, landmarks)
    assert weights[0, NOSE] == 1 and weights[1, 3] == pytest.approx(0.75) and weights[1, 4] == pytest.approx(0.25)
    assert weights.sum(1) == pytest.approx([1, 1])
    cheek = landmarks[[2, 33]].mean(0)
    assert on_contours(np.stack((landmarks[NOSE], cheek)), landmarks).any(1).tolist() == [True, False]


def test_the_middle_of_an_open_mouth_is_that_of_its_lips(person):
    """It lies on no contour, and a head that is turned by it, among others, is guided by landmarks all the same."""
    landmarks = person[1].copy()
    landmarks[55:60, 1] += 40
    landmarks[65:68, 1] += 40
    middle = landmarks[[62, 66]].mean(0)
    weights = on_contours(np.stack((middle, middle + np.array([0, 6]))), landmarks)
    assert weights[0, 62] == weights[0, 66] == 0.5 and weights[0].sum() == 1 and not weights[1].any()
    lid = on_contours(landmarks[None, [37, 38]].mean(1), landmarks)[0]  # has a name, and lies on a contour, too
    assert lid[37] == lid[38] == 0.5 and lid.sum() == 1


def test_the_shortest_way_that_goes_there():
    random = torch.Generator().manual_seed(0)
    following, wanted = torch.randn(20, 4, generator=random).double(), torch.randn(4, generator=random).double()
    metric = torch.diag(torch.rand(20, generator=random).double() + 0.1)
    nowhere = torch.zeros(20).double()
    way = shortest(following, metric, nowhere, wanted, 1e-9)
    torch.testing.assert_close(way @ following, wanted, atol=1e-6, rtol=0)
    aside = torch.randn(20, generator=random).double()
    aside = aside - following @ torch.linalg.lstsq(following, aside[:, None]).solution[:, 0]  # moves no handle
    assert (way @ metric @ aside).abs() < 1e-6
    assert (shortest(following, metric, nowhere, wanted, 10.0) @ following).norm() < wanted.norm()


def test_a_step_goes_on_to_the_same_way_and_less_trust_makes_it_shorter():
    random = torch.Generator().manual_seed(1)
    following, wanted = torch.randn(20, 4, generator=random).double(), torch.randn(4, generator=random).double()
    metric, nowhere = torch.diag(torch.rand(20, generator=random).double() + 0.1), torch.zeros(20).double()
    way, before = shortest(following, metric, nowhere, wanted, 0.5), torch.randn(20, generator=random).double()
    left = wanted - before @ following
    torch.testing.assert_close(shortest(following, metric, before, left, 0.5), way)
    steps = [shortest(following, metric, before, left, 0.5, trust) - before for trust in (1.0, 0.3, 0.1)]
    lengths = [(step @ metric @ step).item() for step in steps]
    assert lengths == sorted(lengths, reverse=True) and lengths[2] < 0.5 * lengths[0]


def test_what_faces_do_is_less_odd_than_what_none_does(space, model):
    """Differences that the model itself makes of natural codes are 1 in the mean; as long ones at random are not."""
    random = torch.Generator().manual_seed(2)
    following = model.landmarks.double()[:, [30, 36, 45, 48, 54]].flatten(1)
    ways = torch.randn(60, 512, generator=random).double() @ following
    noise = torch.randn(60, 10, generator=random).double()
    natural = np.mean([oddness(following, way, 1e-6) for way in ways])
    wild = [oddness(following, other * way.norm() / other.norm(), 1e-6) for way, other in zip(ways, noise, strict=True)]
    assert natural == pytest.approx(1, abs=0.15) and np.median(wild) > 4


def test_what_was_seen_of_a_step_corrects_the_model(model):
    """Undamped, it then tells of that step what was seen (the secant equation), and of one across it what it did."""
    random = torch.Generator().manual_seed(4)
    settings, start = (
        LandmarkGuidedSettings(identity=0.0, identity_each=0.0, broyden_damping=0.0),
        torch.zeros(1, 7, 512),
    )
    search = LandmarkSearch(torch.eye(68).double(), torch.ones(68, 2).double(), model, settings, start, 1.0)
    first = Look.at_start(torch.zeros(1, 16, 512), start)
    search.judge(DragState(0, first.w_plus, torch.zeros(68, 2), 9.0), first)
    step, moved = (torch.randn(*shape, generator=random).double() for shape in ((512,), (68, 2)))
    across = torch.randn(512, generator=random).double()
    across = across - step * (across @ step) / (step @ step)
    before = torch.einsum("d,dkc->kc", across, search.jacobian)
    search.learn(Look(first.w_plus, start, step, moved))
    torch.testing.assert_close(torch.einsum("d,dkc->kc", step, search.jacobian), moved)
    torch.testing.assert_close(torch.einsum("d,dkc->kc", across, search.jacobian), before)


def test_the_model_knows_how_landmarks_follow(face, space, model):
    """On faces that it was not fitted on: from one's landmarks to another's, as the detector sees them."""
    codes, marks = [], []
    for seed in range(100_020, 100_024):
        z = torch.from_numpy(np.random.RandomState(seed).randn(1, face.z_dim)).float()
        codes.append(space.whiten(face.mapping(z, psi=0.8))[0, 0])
        picture = to_uint8(face.synthesis(face.mapping(z, psi=0.8)))
        marks.append(torch.from_numpy(detect(picture)[0].landmarks * 2))
    left = total = 0
    for a, b in ((0, 1), (1, 2), (2, 3), (3, 0)):
        told = torch.einsum("d,dkc->kc", (codes[b] - codes[a]).double(), model.landmarks.double())
        left += (told - (marks[b] - marks[a])).square().sum()
        total += (marks[b] - marks[a]).square().sum()
    assert left < 0.4 * total


def test_the_model_means_the_same_along_other_axes(face, space, model):
    turned = space.turned(sensitive_axes(space))
    p = torch.randn(512, generator=torch.Generator().manual_seed(2))
    same = turned.axes @ p
    one, other = (torch.einsum("d,dkc->kc", x, m.landmarks) for x, m in ((p, model), (same, face_model(face, turned))))
    torch.testing.assert_close(one, other, atol=1e-2, rtol=0)


def test_the_head_moves_where_landmarks_are_asked_for(face, space, person):
    w_plus, landmarks, find = person
    handle = torch.from_numpy(landmarks[[NOSE]])
    target, seen = handle + torch.tensor([[10.0, 3.0]]), []
    result = drag(face, w_plus, handle, target, space=space, progress=seen.append, landmarks=find)
    after = detect(to_uint8(face.synthesis(result.w_plus)))[0].landmarks
    assert np.linalg.norm(after[NOSE] - landmarks[NOSE] - [10, 3]) < 1.25
    far, near = (abs(marks[NOSE, 0] - marks[16, 0]) for marks in (landmarks, after))
    assert near < far - 5  # the head has turned: the nose is nearer to that side's ear
    assert result.stop_reason == "arrived" and len(seen) == result.steps + 1 <= LandmarkGuidedSettings().steps + 1
    assert torch.equal(seen[0].w_plus, w_plus) and torch.equal(result.w_plus[:, 7:], w_plus[:, 7:])


@pytest.mark.parametrize("marks, way", [([CORNER], 7.5), ([NOSE], 0.75), ([NOSE, CORNER], 0.0)])
def test_a_part_of_the_face_is_left_to_features(face, space, model, person, marks, way):
    w_plus, landmarks, find = person
    handles = torch.from_numpy(landmarks[marks])
    with pytest.raises(StopIteration) as end:
        next(landmark_guided_steps(face, w_plus, handles, handles + way, find, model, space))
    assert end.value.value is None


def test_a_part_is_guided_where_little_of_the_picture_counts(face, space, person):
    """Under a mask, too: the corner goes, what is near it goes along, and the rest stays, as it does not where nothing
    holds it."""
    w_plus, landmarks, find = person
    handle, seen = torch.from_numpy(landmarks[[CORNER]]), []
    target, mask = handle + torch.tensor([[-6.0, -5.0]]), torch.ones(1, 1, 64, 64)

    def dragged(held: float) -> np.ndarray:
        settings = DragSettings(landmark_guided=LandmarkGuidedSettings(parts=True, held=held))
        result = drag(face, w_plus, handle, target, mask, settings, space, seen.append, find)
        return detect(to_uint8(face.synthesis(result.w_plus)))[0].landmarks - landmarks

    moved, free = dragged(LandmarkGuidedSettings.held), dragged(1e-3)
    assert np.linalg.norm(moved[CORNER] - [-6, -5]) < 3
    assert max(state.step for state in seen) <= LandmarkGuidedSettings.steps
    others = [*range(17, 48), 54, 64]
    assert np.abs(moved[others]).mean() < 1.2 and np.abs(moved[others]).mean() < 0.8 * np.abs(free[others]).mean()


def test_landmarks_of_one_part_move_together(person):
    landmarks = person[1]
    way = np.array([[4.0, -3.0]])
    moved = moved_together(landmarks, on_contours(landmarks[[CORNER]], landmarks), way)
    assert np.allclose(moved[CORNER], way[0], atol=0.05)
    assert 0.3 < moved[60, 0] / 4 < 1  # the inner corner of the lips beside it
    assert not moved[17:48].any() and not moved[:17].any()  # other parts


def test_all_landmarks_lead_however_little_they_move(face, space, model, person):
    w_plus, landmarks, find = person
    handles = torch.from_numpy(landmarks.copy())
    assert next(landmark_guided_steps(face, w_plus, handles, handles + 0.25, find, model, space), None) is not None


def test_a_code_goes_less_far_for_what_no_face_does(face, space, model, person, other):
    w_plus, landmarks, find = person
    marks, random, settings = [8, 19, 24, NOSE, CORNER, 54], np.random.RandomState(0), LandmarkGuidedSettings(steps=1)

    def moved(handles: np.ndarray, targets: np.ndarray) -> float:
        ends = (torch.from_numpy(points.clip(0, 255)) for points in (handles, targets))
        *_, last = landmark_guided_steps(face, w_plus, *ends, find, model, space, settings)
        return (space.whiten(last.w_plus) - space.whiten(w_plus))[0, 0].square().mean().sqrt().item()

    wild = landmarks[marks] + random.choice((-30, 30), (len(marks), 2))
    assert moved(landmarks[marks], wild) <= settings.radius[0] + 1e-3 < moved(landmarks, other)


def test_many_handles_leave_the_person_their_likeness(face, space, model, person, other):
    w_plus, landmarks, find = person
    ends = [torch.from_numpy(points.clip(0, 255)) for points in (landmarks, other)]
    way = (ends[1] - ends[0]).norm(dim=1).mean().item()

    def likeness(each: float) -> tuple[float, float]:
        """How far the identity goes, as the model tells, and what is left of the way."""
        settings = LandmarkGuidedSettings(steps=4, identity_each=each)
        *_, last = landmark_guided_steps(face, w_plus, *ends, find, model, space, settings)
        moved = (space.whiten(last.w_plus) - space.whiten(w_plus))[0, 0]
        return (moved @ model.identity).norm().item(), last.distance

    (kept, left), (changed, _) = likeness(LandmarkGuidedSettings().identity_each), likeness(0)
    assert kept < 0.95 * changed and left < 0.5 * way


def test_a_whole_face_of_pins_stays(face, space, person):
    w_plus, landmarks, find = person
    pins = torch.from_numpy(landmarks.clip(0, 255))
    assert torch.equal(drag(face, w_plus, pins, pins, space=space, landmarks=find).w_plus, w_plus)


def losing(find: Landmarks, *lost: int) -> Landmarks:
    """As if no face were seen in the pictures of these numbers, from 0 on."""
    numbers = count()
    return Landmarks(find.known, lambda image: None if next(numbers) in lost else find.find(image))


def test_a_step_that_loses_the_face_is_taken_back(face, space, model, person):
    w_plus, landmarks, find = person
    handle = torch.from_numpy(landmarks[[NOSE]])

    def lengths(landmarks: Landmarks) -> list[float]:
        settings = LandmarkGuidedSettings(steps=2)
        states = landmark_guided_steps(face, w_plus, handle, handle + 10, landmarks, model, space, settings)
        return [(space.whiten(s.w_plus) - space.whiten(w_plus))[0, 0].norm().item() for s in states]

    whole, taken_back = lengths(find), lengths(losing(find, 1))
    assert taken_back[:2] == [0, 0] and 0.2 * whole[1] < taken_back[2] < 0.501 * whole[1]
    assert lengths(losing(find, 0)) == []  # nothing to go by: left to features


def test_a_face_stays_where_it_can_t_turn_so_far(face, space):
    """This one would become a profile, of which the generator knows little."""
    z = torch.from_numpy(np.random.RandomState(6).randn(1, face.z_dim)).float()
    w_plus = face.mapping(z, psi=0.7)
    landmarks = detect(to_uint8(face.synthesis(w_plus)))[0].landmarks
    handle = torch.from_numpy(landmarks[[NOSE]])
    across = np.linalg.norm(landmarks[16] - landmarks[0])
    way = 0.2 * across * torch.tensor([[-1.000, -0.024]])
    result = drag(face, w_plus, handle, handle + way, space=space, landmarks=followed(landmarks))
    assert detect(to_uint8(face.synthesis(result.w_plus))) and result.distances.max() < 0.8 * way.norm()


def test_the_step_limit_holds(face, space, person):
    w_plus, landmarks, find = person
    handle = torch.from_numpy(landmarks[[NOSE]])
    result = drag(face, w_plus, handle, handle + 15, settings=DragSettings(steps=1), space=space, landmarks=find)
    assert (result.steps, result.stop_reason) == (1, "step limit")


def test_a_mask_is_honoured_by_features(face, space, person):
    w_plus, landmarks, _ = person
    handle, mask, looks = torch.from_numpy(landmarks[[NOSE]]), torch.ones(64, 64), []
    counted = Landmarks(landmarks, lambda image: looks.append(image) or landmarks)
    drag(face, w_plus, handle, handle + 10, mask, DragSettings(steps=1), space, landmarks=counted)
    assert len(looks) == 2  # at the start and at the end: none leads


def test_another_generator_has_no_model(face):
    assert face_model(face, latent_space(face, slope=5.0, samples=2000)) is None


def test_it_ends_when_hardly_anything_is_gained(face, space, person):
    """By a photo's settings: each look after the best one gained less than a part of the whole way, and there are few
    of them; what a drag has drawn comes with its result, and is the picture of its code."""
    w_plus, landmarks, find = person
    handles = torch.from_numpy(landmarks[[CORNER]])
    by, ends = landmark_guided_steps, []
    for settings in (LandmarkGuidedSettings(parts=True), for_a_photo(LandmarkGuidedSettings())):
        model, states = face_model(face, space), []
        run = by(face, w_plus, handles, handles + torch.tensor([[-14.0, -20.0]]), find, model, space, settings)
        result = finished(run, states.append)
        ends.append((result, states))
    (slow, _), (quick, states) = ends
    assert quick.steps < slow.steps and quick.distances.item() < slow.distances.item() + 0.1 * states[0].distance
    with torch.no_grad():
        torch.testing.assert_close(quick.image, face.synthesis(quick.w_plus))
    assert states[-1].without_image().image is None


def test_looks_without_a_face_dont_use_up_its_patience(face, space, person):
    """A photo's drag has little of it: what comes nearer until a face is seen again is no look that gained nothing."""
    w_plus, landmarks, find = person
    looks = count()

    def seldom(image):
        return None if 1 <= next(looks) <= 3 else find.find(image)

    handles = torch.from_numpy(landmarks[[NOSE]])
    run = landmark_guided_steps(
        face,
        w_plus,
        handles,
        handles + torch.tensor([[24.0, 3.0]]),
        replace(find, find=seldom),
        face_model(face, space),
        space,
        for_a_photo(LandmarkGuidedSettings()),
    )
    result = finished(run)
    assert not torch.equal(result.w_plus, w_plus) and result.distances.item() < 0.95 * np.hypot(24, 3)
    never = replace(find, find=lambda image, looks=count(): None if next(looks) else find.find(image))
    again = landmark_guided_steps(
        face, w_plus, handles, handles + 20, never, face_model(face, space), space, LandmarkGuidedSettings()
    )
    lost = finished(again)
    assert torch.equal(lost.w_plus, w_plus) and lost.steps == LandmarkGuidedSettings().most_taken_back


def test_what_a_caller_sets_stays_in_a_photos_drag():
    own = for_a_photo(LandmarkGuidedSettings(patience=9))
    assert own.patience == 9 and own.parts and own.least_gain == for_a_photo(LandmarkGuidedSettings()).least_gain
