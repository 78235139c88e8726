"""Files from people who mean harm: nothing in them runs, none takes much memory, each is refused in words."""

import io
import json
import pickle
import pickletools
import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from hostile import (
    AGAIN,
    EMPTY_ARRAY,
    HEAD,
    SHELL,
    SPARSE,
    STORAGE,
    announced,
    array,
    call,
    cases,
    data,
    dtype,
    group,
    named,
    number,
    safetensors,
    storage_file,
    tensor,
    text,
    torch_archive,
    whole,
    write_sparse,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from photodrag.weights.common.errors import UserError
from photodrag.weights.formats.budget import SLACK, Budget, Refused
from photodrag.weights.formats.checkpoint import open_checkpoint
from photodrag.weights.formats.pickled import read

GOLDEN = Path(__file__).parents[2] / "golden"
SEEDS = Path(__file__).parent / "seeds"
ROOM = 250 << 20
"""Bytes of memory that opening may take, at most, on top of what the process has."""

OPEN_ALL = """
import json, re, resource, sys
from photodrag.weights.formats.checkpoint import open_checkpoint
from photodrag.weights.common.errors import UserError

for path in sys.argv[3:]:  # whatever is imported late is imported now
    open_checkpoint(path)
has = int(re.search(r"VmData:\\s+(\\d+) kB", open("/proc/self/status").read())[1]) << 10
resource.setrlimit(resource.RLIMIT_DATA, (has + int(sys.argv[2]),) * 2)
events = []
HARMLESS = {"open", "mmap.__new__", "builtins.id"}

def watch(event, arguments):
    if event not in HARMLESS or event == "open" and arguments[1] not in ("rb", "r", None):
        events.append(event)

sys.addaudithook(watch)
for path in json.load(open(sys.argv[1])):
    modules = set(sys.modules)
    try:
        open_checkpoint(path)
        result = "opened"
    except UserError as error:
        result = str(error)
    except BaseException as error:
        result = f"CRASHED: {error!r}"
    seen = events + sorted(set(sys.modules) - modules)
    events = []
    print(json.dumps([path, result, seen]), flush=True)
try:
    bytearray(2 * int(sys.argv[2]))
except MemoryError:
    print(json.dumps(["", "the limit holds", []]))
"""


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory) -> dict[str, tuple[str, list[str]]]:
    """What came of each hostile file, and what Python's audit of the process saw meanwhile."""
    folder = tmp_path_factory.mktemp("hostile")
    canary = folder / "canary"
    names = {"": "too much memory"}
    for i, (name, (content, _)) in enumerate(cases(str(canary)).items()):
        path = folder / f"{i}.pkl"
        path.write_bytes(content)
        names[str(path)] = name
    for i, (name, (head, size, _)) in enumerate(SPARSE.items()):
        write_sparse(folder / f"sparse{i}.pkl", head, size)
        names[str(folder / f"sparse{i}.pkl")] = name
    (folder / "all.json").write_text(json.dumps(list(names)[1:]))
    honest = [path for path, name in names.items() if name in ("honest safetensors", "an honest archive")]
    honest += [GOLDEN / "nvidia-ada-conditional-16.pkl", GOLDEN / "legacy-tf-16.pkl", GOLDEN / "rosinality-16.pt"]
    honest += [GOLDEN / "nvidia-sg3r-64.pkl", GOLDEN / "rosinality-stylegan1-128.model"]
    done = subprocess.run(
        [sys.executable, "-c", OPEN_ALL, folder / "all.json", str(ROOM), *honest],
        capture_output=True,
        encoding="utf-8",
        timeout=120,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    results = {names[path]: (path, result, seen) for path, result, seen in map(json.loads, done.stdout.splitlines())}
    assert not canary.exists()
    return results


EXPECTED = {name: part for name, (_, part) in cases("").items()} | {name: part for name, (*_, part) in SPARSE.items()}


@pytest.mark.skipif(sys.platform != "linux", reason="memory is limited by Linux's means")
@pytest.mark.parametrize("name", EXPECTED)
def test_refused_in_words_without_running_or_filling_the_memory(name, outcomes):
    path, result, seen = outcomes[name]
    assert re.search(EXPECTED[name], result), result
    assert seen == []
    if result != "opened":
        assert result.startswith(f"{path} was not opened: it ")
        assert result.isprintable()
        assert len(result) < len(path) + 250


@pytest.mark.skipif(sys.platform != "linux", reason="memory is limited by Linux's means")
def test_the_limit_on_memory_held(outcomes):
    assert outcomes["too much memory"][1] == "the limit holds"


AUDITED = """
import pickle, sys
sys.addaudithook(lambda event, _: print(event))
pickle.load(open(sys.argv[1], "rb"))
"""


@pytest.mark.parametrize(
    ("name", "event"),
    [
        ("os.system called", "os.system"),
        ("subprocess.getoutput called", "subprocess.Popen"),
        ("builtins.exec called", "exec"),
        ("a storage's bytes are a pickle", "os.system"),
    ],
)
def test_pythons_own_unpickler_does_run_them_and_the_audit_sees_it(name, event, tmp_path):
    (tmp_path / "file").write_bytes(cases(str(tmp_path / "canary"))[name][0])
    done = subprocess.run([sys.executable, "-c", AUDITED, tmp_path / "file"], capture_output=True, encoding="utf-8")
    assert event in done.stdout.split()
    assert (tmp_path / "canary").exists()


def outcome(content: bytes, tmp_path: Path) -> str:
    """Of opening a file with that content: "opened", or the refusal. Any other error fails the test."""
    path = tmp_path / "any"
    path.write_bytes(content)
    try:
        open_checkpoint(path)
    except UserError as error:
        assert error.exit_code == 2
        return str(error)
    return "opened"


def test_truncated_at_every_instruction(golden):
    content = (golden / "legacy-tf-16.pkl").read_bytes()
    for _, _, position in pickletools.genops(content):
        with pytest.raises(Refused, match=r"^it ends too early"):
            read(memoryview(content)[:position])


@pytest.mark.parametrize("seed", sorted(path.name for path in SEEDS.iterdir()))
def test_what_broke_it_once(seed, tmp_path):
    assert outcome((SEEDS / seed).read_bytes(), tmp_path) != "opened"


def old_torch() -> bytes:
    file = io.BytesIO()
    torch.save({"a": torch.ones(2, 2)}, file, _use_new_zipfile_serialization=False)
    return file.getvalue()


FUZZ = settings(derandomize=True, deadline=None, database=None, max_examples=400)
PICKLES = {
    name: (GOLDEN / name).read_bytes()
    for name in ("nvidia-ada-conditional-16.pkl", "legacy-tf-16.pkl", "nvidia-sg3r-64.pkl", "progan-tf-32-growing.pkl")
}
SMALL = {
    "archive": torch_archive(whole(announced(4)), _0=bytes(16)),
    "old torch": old_torch(),
    "safetensors": safetensors({"a": {"dtype": "F32", "shape": [2, 2], "data_offsets": [0, 16]}}),
}
FILES = PICKLES | SMALL | {"rosinality-16.pt": (GOLDEN / "rosinality-16.pt").read_bytes()}
INSTRUCTIONS = [getattr(pickle, name) for name in dir(pickle) if re.fullmatch("[A-Z][A-Z0-9_]+", name)]
INSTRUCTIONS = sorted({op for op in INSTRUCTIONS if isinstance(op, bytes) and len(op) == 1})
NAMES = [
    *("torch._utils._rebuild_tensor_v2", "torch._utils._rebuild_parameter", "torch.storage._load_from_bytes"),
    *("torch.FloatStorage", "torch.BoolStorage", "torch.Size", "torch.nn.Linear", "collections.OrderedDict"),
    *("numpy.core.multiarray._reconstruct", "numpy.core.multiarray.scalar", "numpy.core.numeric._frombuffer"),
    *("numpy.ndarray", "numpy.dtype", "_codecs.encode", "builtins.set", "builtins.bytes", "dnnlib.util.EasyDict"),
    *("torch_utils.persistence._reconstruct_persistent_obj", "os.system", "builtins.eval"),
]
WORDS = ["C", "F", "latin1", "storage", "<", ">", "|", "f4", "b1", "O8", "_metadata", "cpu", "0", "little_endian", ""]
PIECES = (
    st.sampled_from(INSTRUCTIONS)
    | st.sampled_from([named(name) for name in NAMES])
    | st.sampled_from([STORAGE, SHELL, AGAIN, tensor((2, 2), (2, 1)), array((2,), bytes(8)), array((), bytes(4))])
    | st.sampled_from([b"q\x00", b")R", b"\x85R", b"\x86R", b"\x87R", b"tR", b"}b", b"Nb", b"\x86b"])
    | st.integers(-3, 70).map(number)
    | st.sampled_from(WORDS).map(text)
    | st.binary(max_size=9).map(data)
    | st.binary(max_size=3)
)
LEAVES = (
    st.sampled_from([pickle.NONE, pickle.NEWTRUE, pickle.NEWFALSE, pickle.EMPTY_LIST, pickle.EMPTY_SET, group()])
    | st.sampled_from([STORAGE, SHELL, EMPTY_ARRAY, dtype("f4"), dtype("b1", "|"), dtype("i2", ">")])
    | st.sampled_from([tensor((2, 2), (2, 1)), array((2,), bytes(8)), array((), bytes(4)), array((0, 2), b"")])
    | st.sampled_from([*map(named, NAMES), *map(text, WORDS)])
    | (st.integers(-2, 9) | st.integers(-(2**63), 2**63 - 1)).map(number)
    | st.binary(max_size=9).map(data)
)
CALLS = {
    "torch._utils._rebuild_tensor_v2": [STORAGE, number(0), group(number(2)), group(number(1)), b"\x89", b"N"],
    "torch._utils._rebuild_parameter": [tensor((4,), (1,)), pickle.NEWTRUE, pickle.NONE],
    "torch.storage._load_from_bytes": [data(storage_file())],
    "numpy.core.multiarray._reconstruct": [named("numpy.ndarray"), group(number(0)), data(b"b")],
    "numpy.core.multiarray.scalar": [dtype("f4"), data(bytes(4))],
    "numpy.core.numeric._frombuffer": [data(bytes(8)), dtype("f4"), group(number(2)), text("C")],
    "numpy.dtype": [text("f4"), pickle.NEWFALSE, pickle.NEWTRUE],
    "_codecs.encode": [text("x"), text("latin1")],
    "builtins.set": [pickle.EMPTY_LIST],
    "builtins.bytes": [],
    "collections.OrderedDict": [],
    "torch.nn.Linear": [],
}
"""What is known, with arguments that are right."""

ARRAY_STATE = [number(1), group(number(2)), dtype("f4"), pickle.NEWFALSE, data(bytes(8))]
DTYPE_STATE = [number(3), text(">"), pickle.NONE, pickle.NONE, pickle.NONE, number(-1), number(-1), number(0)]


def nearly(right: list[bytes], wrong: st.SearchStrategy[bytes]) -> st.SearchStrategy[list[bytes]]:
    """`right`, with up to two of its values wrong."""
    exchanges = st.dictionaries(st.integers(0, len(right)), wrong, max_size=2)
    return exchanges.map(lambda new: list((dict(enumerate(right)) | new).values()))


SENTENCES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        *(nearly(right, inner).map(lambda values, name=name: call(name, *values)) for name, right in CALLS.items()),
        nearly(ARRAY_STATE, inner).map(lambda state: EMPTY_ARRAY + group(*state) + pickle.BUILD),
        nearly(DTYPE_STATE, inner).map(lambda state: array((2,), bytes(8), dtype("f4") + group(*state) + b"b")),
        st.builds(lambda state: array((2,), bytes(8), dtype("f4") + state + b"b"), inner),
        st.builds(lambda value, state: value + state + pickle.BUILD, inner, inner),
        st.builds(lambda key, value: pickle.EMPTY_DICT + key + value + pickle.SETITEM, inner, inner),
        st.lists(inner, max_size=5).map(lambda values: group(*values)),
    ),
    max_leaves=5,
)


def is_result_or_refusal(content: bytes) -> None:
    try:
        read(memoryview(content))
    except Refused as refusal:
        assert str(refusal).startswith("it ")


@FUZZ
@given(st.lists(PIECES, max_size=40))
def test_any_instructions_end_well(pieces):
    is_result_or_refusal(HEAD + b"".join(pieces) + b".")


@settings(FUZZ, max_examples=1500)
@given(SENTENCES)
def test_known_names_with_any_arguments_end_well(sentence):
    is_result_or_refusal(HEAD + sentence + b".")


def positions(name: str) -> list[int]:
    """Where to change a file: at an instruction of a large one, anywhere in a small one."""
    content = FILES[name]
    if name in SMALL:
        return list(range(len(content)))
    start = 0 if name in PICKLES else content.index(b"\x80\x02")
    return [start + position for _, _, position in pickletools.genops(content[start:])]


PLACES = {name: positions(name) for name in FILES}


@settings(FUZZ, max_examples=600)
@given(st.data())
def test_changed_files_end_well(tmp_path_factory, data):
    name = data.draw(st.sampled_from(sorted(FILES)))
    content = bytearray(FILES[name])
    for _ in range(data.draw(st.integers(1, 4))):
        # Early ones, mostly: what follows a first mistake isn't looked at.
        last = len(PLACES[name]) - 1
        place = data.draw(st.integers(0, min(last, 300)) | st.integers(0, last))
        start = PLACES[name][place] + data.draw(st.integers(0, 12))
        match data.draw(st.sampled_from(["flip", "cut", "splice", "insert", "truncate"])):
            case "flip":
                content[start : start + 1] = data.draw(st.binary(min_size=1, max_size=1))
            case "cut":
                del content[start : start + data.draw(st.integers(1, 20))]
            case "insert":
                content[start:start] = b"".join(data.draw(st.lists(PIECES, min_size=1, max_size=3)))
            case "splice":
                other = FILES[data.draw(st.sampled_from(sorted(FILES)))]
                source = data.draw(st.integers(0, len(other) - 1))
                content[start : start + 40] = other[source : source + data.draw(st.integers(1, 200))]
            case "truncate":
                del content[max(start, 1) :]
    outcome(bytes(content), tmp_path_factory.getbasetemp())


@FUZZ
@given(
    st.binary(max_size=60), st.sampled_from([b"", b"\x80\x04", b"PK\x03\x04", b"PK\x05\x06", b"\x02\0\0\0\0\0\0\0{}"])
)
def test_any_bytes_end_well(tmp_path_factory, content, head):
    outcome(head + content, tmp_path_factory.getbasetemp())


def test_a_file_makes_twice_its_size_of_numbers_at_most():
    budget = Budget(1000)
    budget.spend(2 * 1000 + SLACK)
    with pytest.raises(Refused):
        budget.spend(1)
