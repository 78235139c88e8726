"""Who is learned of photos in which others are, too; what is kept of them, for whom; and that it is found again."""

import json
import os
import stat
from dataclasses import replace

import cv2
import numpy as np
import pytest
from colour_tags import says_srgb
from command import OnTerminal, run
from pictures import mirrored
from PIL import Image

from photodrag.pipeline.people import learning
from photodrag.pipeline.people import person as people
from photodrag.pipeline.people.same_person import find_person, same_person
from photodrag.pipeline.photos.read import read_photo
from photodrag.weights import UserError

LEARN = "person", "learn", "anna"


@pytest.fixture(scope="session")
def stranger_image(face) -> Image.Image:
    """A face that nobody has."""
    import torch

    from photodrag.invert.quality import to_uint8

    z = torch.from_numpy(np.random.RandomState(7).randn(1, face.z_dim)).float()
    return Image.fromarray(to_uint8(face.synthesis(face.mapping(z, psi=0.6))))


@pytest.fixture
def album(portrait, stranger_image) -> dict[str, str]:
    """Photos of one person, in other lights, mirrored, and with a larger stranger beside; and what shows none of it."""
    folder = portrait.parent
    own = np.array(Image.open(portrait))
    mirrored(portrait, "mirror.png")
    Image.fromarray((255 * (own / 255) ** 0.7).astype(np.uint8)).save(folder / "bright.png")
    Image.fromarray(cv2.GaussianBlur(own, (0, 0), 0.8)).save(folder / "soft.png")
    large = stranger_image.resize((360, 360))
    both = np.full((360, 620, 3), 90, np.uint8)
    both[:, :360], both[50:306, 362:618] = np.array(large), own
    Image.fromarray(both).save(folder / "both.png")
    stranger_image.save(folder / "stranger.png")
    Image.new("RGB", (200, 200), (30, 60, 90)).save(folder / "sky.png")
    (folder / "copy.png").write_bytes(portrait.read_bytes())
    return {path.stem: str(path) for path in folder.iterdir()}


OWN = "portrait", "mirror", "bright", "soft", "both"


@pytest.fixture
def anna(album, cache):
    """Learned from what shows her."""
    return learning.learn("anna", [album[name] for name in OWN]).person


def test_who_is_in_most_photos_is_meant():
    """Three people as points: one is in four photos, another, larger, in three; of each photo it is that face."""
    random = np.random.default_rng(0)
    who = random.normal(size=(3, 128)) * 0.1

    def seen(*numbers) -> np.ndarray:
        return who[list(numbers)] + random.normal(size=(len(numbers), 128)) * 0.01

    photos = [seen(1, 0), seen(1, 0), seen(1, 2, 0), seen(0), np.zeros((0, 128)), seen(2)]
    assert same_person(photos) == [1, 1, 2, 0, None, None]
    assert same_person(photos[:3]) == [0, 0, 0]  # as often, and larger
    assert same_person([np.zeros((0, 128))] * 2) == [None, None] and same_person([]) == []


def test_learned_from_photos_with_others(album, cache):
    learned = learning.learn("anna", [*album.values(), "nowhere.jpg"])
    names = {portrait.photo.removesuffix(".png") for portrait in learned.person.portraits}
    assert names - {"copy", "portrait"} == {*OWN} - {"portrait"} and len(names & {"copy", "portrait"}) == 1
    why = {path.rsplit("/")[-1]: reason for path, reason in learned.left_out.items()}
    twice = ({"copy", "portrait"} - names).pop()
    assert why.pop(f"{twice}.png") == "it is there twice"
    assert why.pop("stranger.png") == "it shows somebody else"
    assert why.pop("sky.png") == "it shows no face that is large enough and whole"
    assert "There is no file nowhere.jpg" in why.pop("nowhere.jpg") and not why


def test_what_is_kept_is_the_same_again_and_for_the_user_alone(anna, cache):
    path = people.path_of("anna")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    again = people.find("anna")
    assert again.name == "anna" and again.made == anna.made
    for one, other in zip(anna.portraits, again.portraits, strict=True):
        assert one.jpeg == other.jpeg and one.photo == other.photo
        assert np.array_equal(one.landmarks, other.landmarks) and np.array_equal(one.descriptor, other.descriptor)
        side = len(one.picture)
        assert one.picture.shape == (side, side, 3) and learning.SIDE[1] <= side <= learning.SIDE[0]
        assert one.landmarks.min() > 0 and one.landmarks[17:].max() < side
    os.chmod(path, 0o644)
    people.keep("anna", anna.portraits)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_found_again_beside_a_larger_face(anna, album):
    face, count = find_person(read_photo(album["both"]), anna)
    assert (face.number, count) == (2, 2)
    for name in ("stranger", "sky"):
        with pytest.raises(UserError, match=f"No face in {name}.png looks like anna"):
            find_person(read_photo(album[name]), anna)


@pytest.mark.parametrize("name", ["", "..", "a/b", "-x", ".hidden", "x" * 201, "a\nb", "anna "])
def test_names_that_can_not_be(name, cache):
    for asked in (people.find, people.remove, lambda name: learning.learn(name, ["x.jpg"])):
        with pytest.raises(UserError, match="can't be a person's name"):
            asked(name)


def test_wrong_use(anna, album, cache):
    with pytest.raises(UserError, match="anna is known already: give --replace"):
        learning.learn("anna", [album["portrait"]])
    with pytest.raises(UserError, match="51 photos were given"):
        learning.learn("bob", [album["portrait"]] * 51)
    with pytest.raises(UserError, match=r"Nobody was learned: .*sky\.png: it shows no face"):
        learning.learn("bob", [album["sky"]])
    with pytest.raises(UserError, match="Nobody called bob was learned, but anna"):
        people.find("bob")
    assert [one.name for one, _ in people.everybody()] == ["anna"]
    data = bytearray(people.path_of("anna").read_bytes())
    data[-20] ^= 1
    people.path_of("anna").write_bytes(data)
    with pytest.raises(UserError, match="What is kept of anna is damaged"):
        people.find("anna")
    assert people.everybody() == []


def test_commands(album, cache, tmp_path):
    photos = [album[name] for name in (*OWN, "sky")]
    ran = run(*LEARN, *photos)
    assert (ran.code, ran.out) == (0, "anna was learned from 5 photos: edit with --person anna.\n")
    assert ran.err == f"{album['sky']} is left out: it shows no face that is large enough and whole.\n"
    again = run(*LEARN, *photos)
    assert again.code == 2 and "--replace" in again.err and again.out == ""
    facts = json.loads(run(*LEARN, "--replace", *photos, "--json").out)
    assert [one["photo"] for one in facts["photos"]] == [f"{name}.png" for name in OWN]
    assert list(facts["left_out"]) == [album["sky"]] and all(one["identity"] < 0.6 for one in facts["photos"])
    assert run("person", "list").out.split()[0] == "anna"
    listed = json.loads(run("person", "list", "--json").out)
    assert [one["name"] for one in listed["people"]] == ["anna"] and listed["damaged"] == []
    sheet = tmp_path / "anna.png"
    shown = run("person", "show", "anna", "--out", sheet)
    assert "learned" in shown.out and all(f"{name}.png" in shown.out for name in OWN)
    with Image.open(sheet) as image:
        assert image.size == (5 * 224, 224)
    assert says_srgb(sheet.read_bytes())
    assert run("person", "show", "anna", "--out", tmp_path / "anna.jpg").code == 2
    assert run("person", "remove", "anna", "bob").code == 2 and people.files()
    removed = run("person", "remove", "anna")
    assert removed.code == 0 and removed.out.startswith("Removed anna") and not people.files()
    assert run("person", "list").out.startswith("Nobody was learned yet")


def test_learning_shows_how_far_it_is(album, cache):
    with OnTerminal(*LEARN, *[album[name] for name in OWN]) as command:
        command.wait_for("looking at photos")
        assert "left" in command.finish().err


def test_edit_of_a_person(anna, album, ready, tmp_path):
    """Her face is edited, not the larger one; the edit's file knows her; and for a stranger it says so."""
    ready(read_photo(album["both"]).path)
    out, file = tmp_path / "out.png", tmp_path / "edit.json"
    ran = run(
        "edit",
        album["both"],
        "--smile",
        0.5,
        "--steps",
        1,
        "--person",
        "anna",
        "--out",
        out,
        "--save-edit",
        file,
        "--json",
    )
    assert ran.code == 0, ran.err
    facts = json.loads(ran.out)
    assert (
        facts["person"] == "anna"
        and facts["face"]["number"] == 2
        and set(facts["exemplars"]) <= {"brows", "lips", "eyes", "teeth"}
    )
    assert json.loads(file.read_text())["person"] == "anna"
    old, new = (np.array(Image.open(path).convert("RGB")) for path in (album["both"], out))
    assert np.array_equal(old[:, :330], new[:, :330]) and (old != new).any()
    again = tmp_path / "again.png"
    assert run("edit", album["both"], "--edit", file, "--out", again).code == 0
    assert np.array_equal(new, np.array(Image.open(again)))
    refused = run("edit", album["stranger"], "--smile", 0.5, "--person", "anna", "--out", tmp_path / "no.png")
    assert refused.code == 2 and "No face in stranger.png looks like anna" in refused.err
    assert run("edit", album["both"], "--smile", 0.5, "--person", "bob").code == 2


def test_invert_takes_the_person(anna, album, ready):
    ready(read_photo(album["both"]).path)
    ran = run("invert", album["both"], "--person", "anna", "--json")
    assert json.loads(ran.out)["inversions"][0]["face"]["number"] == 2


def test_what_is_kept_of_a_person_is_numbers(anna):
    """A landmark or a descriptor that is none counts as damage, whatever the digest says."""
    for name in ("landmarks", "descriptor"):
        first, *others = anna.portraits
        spoilt = getattr(first, name).copy()
        spoilt[0] = np.nan
        people.keep("bob", [replace(first, **{name: spoilt}), *others])
        with pytest.raises(UserError, match="What is kept of bob is damaged"):
            people.find("bob")
