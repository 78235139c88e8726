"""Files that mean harm, or could do some: each with a part of the sentence that they are refused with.

Pickles are put together by hand from their instructions, since no pickler would write them."""

import io
import json
import pickle
import struct
import zipfile
from pathlib import Path

from photodrag.weights.formats.pickled import OLD_TORCH

HEAD = pickle.PROTO + b"\x04"
GIGABYTE = 1 << 30


def text(value: str) -> bytes:
    return pickle.BINUNICODE + struct.pack("<I", len(value.encode())) + value.encode()


def data(value: bytes) -> bytes:
    return pickle.BINBYTES + struct.pack("<I", len(value)) + value


def number(value: int) -> bytes:
    return pickle.LONG1 + b"\x08" + value.to_bytes(8, "little", signed=True)


def named(whole: str) -> bytes:
    """GLOBAL, the name of all protocols."""
    return pickle.GLOBAL + "\n".join([*whole.rsplit(".", 1), ""]).encode()


def stack_named(module: str, name: str) -> bytes:
    """STACK_GLOBAL, whose name may have dots."""
    return text(module) + text(name) + pickle.STACK_GLOBAL


def group(*values: bytes) -> bytes:
    return pickle.MARK + b"".join(values) + pickle.TUPLE


def call(function: bytes | str, *arguments: bytes) -> bytes:
    return (named(function) if isinstance(function, str) else function) + group(*arguments) + pickle.REDUCE


def entries(**values: bytes) -> bytes:
    return (
        pickle.EMPTY_DICT + pickle.MARK + b"".join(text(key) + value for key, value in values.items()) + pickle.SETITEMS
    )


def whole(*parts: bytes) -> bytes:
    return HEAD + b"".join(parts) + pickle.STOP


def storage_file(numbers: bytes = bytes(16), kind: bytes | None = None, count: int = 4) -> bytes:
    """One storage as torch.storage._load_from_bytes gets it: the old layout of torch.save."""
    facts = entries(little_endian=pickle.NEWTRUE)
    announced = group(text("storage"), kind or named("torch.FloatStorage"), text("0"), text("cpu"), number(count))
    keys = pickle.EMPTY_LIST + text("0") + pickle.APPEND
    return b"".join(
        [
            OLD_TORCH,
            whole(number(1001)),
            whole(facts),
            whole(announced, pickle.BINPERSID),
            whole(keys),
            struct.pack("<q", count),
            numbers,
        ]
    )


STORAGE = call("torch.storage._load_from_bytes", data(storage_file()))


def tensor(size: tuple, stride: tuple, offset: int = 0, storage: bytes = STORAGE) -> bytes:
    shapes = [group(*map(number, numbers)) for numbers in (size, stride)]
    return call("torch._utils._rebuild_tensor_v2", storage, number(offset), *shapes, pickle.NEWFALSE, pickle.NONE)


def dtype(code: str, order: str = "<", *, names: bytes = pickle.NONE) -> bytes:
    made = call("numpy.dtype", text(code), pickle.NEWFALSE, pickle.NEWTRUE)
    rest = [pickle.NONE, names, pickle.NONE, number(-1), number(-1), number(0)]
    return made + group(number(3), text(order), *rest) + pickle.BUILD


EMPTY_ARRAY = call("numpy.core.multiarray._reconstruct", named("numpy.ndarray"), group(number(0)), data(b"b"))


def array(shape: tuple, numbers: bytes, kind: bytes | None = None) -> bytes:
    shape_of = group(*map(number, shape))
    state = group(number(1), shape_of, kind or dtype("f4"), pickle.NEWFALSE, data(numbers))
    return EMPTY_ARRAY + state + pickle.BUILD


def keep(value: bytes) -> bytes:
    return value + pickle.BINPUT + b"\x00"


AGAIN = pickle.BINGET + b"\x00"
SHELL = call("torch_utils.persistence._reconstruct_persistent_obj", entries())
ASKS = "it asks to run "


def runs(canary: str) -> dict[str, tuple[bytes, str]]:
    """Pickles that would run something, were they run: a shell command that makes the file `canary`,
    or the like in Python."""
    command, source = text(f"touch {canary}"), text(f"open({canary!r}, 'w')")
    program = data(f"open({canary!r}, 'w')".encode())
    functions = {
        "os.system": command,
        "posix.system": command,
        "nt.system": command,
        "subprocess.Popen": command,
        "subprocess.getoutput": command,
        "builtins.eval": source,
        "builtins.exec": source,
        "__builtin__.eval": source,
        "builtins.__import__": text("antigravity"),
        "builtins.getattr": text("x"),
        "builtins.open": text(canary),
        "builtins.object": b"",
        "importlib.import_module": text("antigravity"),
        "operator.attrgetter": text("system"),
        "functools.partial": named("torch.nn.Linear"),
        "pickle.loads": program,
        "marshal.loads": program,
        "codecs.decode": program,
        "shutil.rmtree": text(canary),
        "torch.load": text(canary),
        "torch.hub.load": text("a/b"),
        "torch.jit.load": text(canary),
        "torch._utils._rebuild_wrapper_subclass": b"",
        "torch.FloatStorage": number(1 << 40),
        "torch": b"",
        "numpy.load": text(canary),
        "numpy.ndarray": group(number(1 << 40)),
        "numpy.fromfile": text(canary),
        "numpy.core.multiarray.fromfile": text(canary),
        "dnnlib.util.open_url": text("http://localhost/"),
        "photodrag.weights.common.files.write_whole": text(canary),
        "photodrag.weights.formats.safe_pickle.Shell": text(canary),
        "photodrag.weights.formats.pickled.read": text(canary),
        "collections.namedtuple": source,
        "copyreg._reconstructor": named("training.networks.Generator"),
        "trainings.networks.Generator": b"",
    }
    cases = {
        f"{function} called": (whole(call(stack_named("", function) if "." not in function else function, value)), ASKS)
        for function, value in functions.items()
    }
    inner = whole(call("os.system", command))
    return cases | {
        "os.system by its name": (whole(call("os.system", command)), f"{ASKS}os.system, which no checkpoint needs"),
        "os.system from the stack": (whole(call(stack_named("os", "system"), command)), f"{ASKS}os.system,"),
        "os.system only named": (whole(named("os.system")), f"{ASKS}os.system,"),
        "eval through dots": (whole(call(stack_named("torch", "nn.__builtins__.eval"), source)), "opened"),
        "dots out of the family": (whole(call(stack_named("builtins", "eval.__call__"), source)), ASKS),
        "letters that a terminal obeys": (whole(named("os.\x1b[2Jsystem")), r"os\.\\x1b\[2Jsystem"),
        "a name of a megabyte": (whole(stack_named("training.", "x" * 1_000_000)), "damaged"),
        "os.system by NEWOBJ": (whole(named("os.system"), group(command), pickle.NEWOBJ), ASKS),
        "os.system by INST": (HEAD + b"(" + command + b"ios\nsystem\n.", r"the instruction b'i'"),
        "os.system by OBJ": (HEAD + b"(" + named("os.system") + command + b"o.", ASKS),
        "OBJ": (HEAD + b"(" + named("torch.nn.Linear") + command + b"o.", r"the instruction b'o'"),
        "NEWOBJ_EX": (HEAD + named("torch.nn.Linear") + b"()}\x92.", "the instruction"),
        "EXT1": (HEAD + b"\x82\x01.", "the instruction"),
        "EXT2": (HEAD + b"\x83\x01\x00.", "the instruction"),
        "EXT4": (HEAD + b"\x84\x01\x00\x00\x00.", "the instruction"),
        "PERSID": (HEAD + b"Pos.system\n.", "the instruction b'P'"),
        "BINPERSID": (HEAD + command + b"Q.", "the instruction b'Q'"),
        "NEXT_BUFFER": (HEAD + b"\x97.", "the instruction"),
        "DUP": (HEAD + b"N2.", "the instruction b'2'"),
        "a storage's bytes are a pickle": (whole(call("torch.storage._load_from_bytes", data(inner))), "damaged"),
        "a storage's bytes run something": (
            whole(call("torch.storage._load_from_bytes", data(storage_file(kind=call("os.system", command))))),
            f"{ASKS}os.system,",
        ),
        "a storage's bytes hold a storage": (
            whole(call("torch.storage._load_from_bytes", data(storage_file(kind=STORAGE)))),
            f"{ASKS}torch.storage._load_from_bytes",
        ),
        "a storage's head runs something": (
            whole(call("torch.storage._load_from_bytes", data(OLD_TORCH + inner))),
            f"{ASKS}os.system,",
        ),
        "an old torch file": (OLD_TORCH + whole(number(1001)) + whole(entries(little_endian=b"\x88")) + inner, ASKS),
        "a torch archive": (torch_archive(inner), f"{ASKS}os.system,"),
        "source that would be compiled": (
            whole(
                call(
                    "torch_utils.persistence._reconstruct_persistent_obj",
                    entries(module_src=source, class_name=text("Generator"), state=entries()),
                )
            ),
            "opened",
        ),
    }


def torch_archive(pickled: bytes, compression: int = zipfile.ZIP_STORED, **members: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as written:
        written.writestr("archive/data.pkl", pickled)
        for key, content in members.items():
            written.writestr(f"archive/data/{key.removeprefix('_')}", content)
    return file.getvalue()


def announced(count: int, key: str = "0") -> bytes:
    """A tensor of `count` numbers whose storage is the archive's member `key`."""
    storage = group(text("storage"), named("torch.FloatStorage"), text(key), text("cpu"), number(count))
    return tensor((count,), (1,), storage=storage + pickle.BINPERSID)


def misuses() -> dict[str, tuple[bytes, str]]:
    """Pickles that use what is known in ways that it isn't meant for."""
    state = entries(__class__=pickle.NONE, append=named("torch.nn.Linear"))
    none_has = "it sets attributes of something that has none"
    cases = {
        "attributes of a class": (whole(named("training.networks.Generator"), state, pickle.BUILD), none_has),
        "attributes of a function": (whole(named("_codecs.encode"), state, pickle.BUILD), none_has),
        "slots of a function": (
            whole(named("_codecs.encode"), group(pickle.NONE, entries(__defaults__=group())), pickle.BUILD),
            none_has,
        ),
        "attributes of a dict": (whole(entries(), state, pickle.BUILD), none_has),
        "attributes of a list": (whole(pickle.EMPTY_LIST, state, pickle.BUILD), none_has),
        "attributes of an ordered dict": (whole(call("collections.OrderedDict"), state, pickle.BUILD), none_has),
        "a tensor for an ordered dict's state": (
            whole(call("collections.OrderedDict"), tensor((4,), (1,)), pickle.BUILD),
            none_has,
        ),
        "a tensor for a type's state": (whole(array((1,), bytes(4), dtype("f4") + tensor((4,), (1,)) + b"b")), "than"),
        "attributes of a tensor": (whole(tensor((4,), (1,)), state, pickle.BUILD), none_has),
        "attributes of an array": (whole(array((1,), bytes(4)), state, pickle.BUILD), none_has),
        "attributes of a shell": (whole(SHELL, entries(__reduce__=named("torch.nn.Linear")), pickle.BUILD), "opened"),
        "a call of a shell": (whole(call(SHELL, pickle.NONE)), "a call of something that is no function"),
        "a call of a tensor": (whole(call(tensor((4,), (1,)))), "a call of something that is no function"),
        "arguments that are no tuple": (whole(named("torch.nn.Linear"), entries(), pickle.REDUCE), "no function"),
        "items of a shell": (whole(SHELL, pickle.NONE, pickle.APPEND), "items of something that is no list"),
        "items of a tensor": (whole(tensor((4,), (1,)), pickle.NONE, pickle.APPEND), "no list"),
        "entries of a tensor": (whole(tensor((4,), (1,)), number(0), number(9), pickle.SETITEM), "no dict"),
        "entries of an array": (whole(array((1,), bytes(4)), number(0), number(9), pickle.SETITEM), "no dict"),
        "members of a list": (whole(pickle.EMPTY_LIST, b"(N", pickle.ADDITEMS), "no set"),
        "an ordered dict of items": (whole(call("collections.OrderedDict", pickle.EMPTY_LIST)), "damaged"),
        "a set of lists": (whole(call("builtins.set", b"](]e")), "a key that is neither text nor a number"),
        "bytes of a size": (whole(call("builtins.bytes", number(GIGABYTE))), "damaged"),
        "encoding by another codec": (whole(call("_codecs.encode", text("x"), text("idna"))), "bytes that are none"),
        "a storage in a plain pickle": (whole(announced(4)), "the instruction b'Q'"),
        "objects in an array": (whole(array((1,), bytes(8), dtype("O8", "|"))), "something else than numbers"),
        "records in an array": (whole(array((1,), bytes(4), dtype("f4", names=group(text("a"))))), "than numbers"),
        "text in an array": (whole(array((1,), bytes(4), dtype("U1"))), "something else than numbers"),
        "void in an array": (whole(array((1,), bytes(4), dtype("V4", "|"))), "something else than numbers"),
        "a list for an array's numbers": (
            whole(EMPTY_ARRAY, group(number(1), group(), dtype("f4"), pickle.NEWFALSE, b"]"), pickle.BUILD),
            "something else than numbers",
        ),
        "an array of a class": (
            whole(call("numpy.core.multiarray._reconstruct", named("torch.nn.Linear"), group(), data(b"b"))),
            "an array of an unknown class",
        ),
        "an array without numbers": (whole(EMPTY_ARRAY), "an array without numbers"),
        "a scalar of objects": (
            whole(call("numpy.core.multiarray.scalar", dtype("O8", "|"), data(bytes(8)))),
            "than numbers",
        ),
        "a parameter of nothing": (whole(call("torch._utils._rebuild_parameter", pickle.NONE)), "without numbers"),
        "a pair of one value": (whole(pickle.NONE, pickle.TUPLE2), "its pickle makes no sense"),
        "a number for an array's state": (whole(EMPTY_ARRAY, number(1), pickle.BUILD), "an array without numbers"),
        "a number for a type's state": (whole(array((1,), bytes(4), dtype("f4") + number(1) + b"b")), "than numbers"),
        "a storage that is only named": (torch_archive(whole(text("0"), pickle.BINPERSID)), "of an unknown kind"),
        "a tensor in a tensor": (whole(tensor((1,), (1,), storage=tensor((1,), (1,), 3))), "without numbers"),
    }
    for kind in ("torch._utils._rebuild_tensor_v2", "numpy.core.multiarray._reconstruct", "builtins.set"):
        cases[f"{kind} without arguments"] = (whole(call(kind)), "damaged")
    return cases


def bombs() -> dict[str, tuple[bytes, str]]:
    """Small files that would fill the memory or never end."""
    early, large, overlap = "it ends too early", "larger than the file", "elements overlap in memory"
    too_much = "it claims to hold more numbers than its size allows"
    megabyte = bytes(1_000_000)
    blob = keep(data(storage_file(megabyte, count=250_000))) + pickle.POP
    loads = call("torch.storage._load_from_bytes", AGAIN) * 1000
    again = keep(data(megabyte)) + call("numpy.core.numeric._frombuffer", AGAIN, dtype("u1"), group(number(1_000_000)),
                                        text("C")) * 1000  # fmt: skip
    doubled = keep(b"]") + pickle.POP + (keep(AGAIN * 2 + pickle.TUPLE2) + pickle.POP) * 60 + AGAIN
    cases = {
        "10 GB of bytes by an instruction": (HEAD + pickle.BINBYTES8 + struct.pack("<Q", 10 * GIGABYTE) + b".", early),
        "4 GB of bytes by an instruction": (HEAD + pickle.BINBYTES + b"\xff\xff\xff\xff.", early),
        "10 GB of text by an instruction": (HEAD + pickle.BINUNICODE8 + struct.pack("<Q", 10 * GIGABYTE) + b".", early),
        "10 GB of a bytearray": (HEAD + pickle.BYTEARRAY8 + struct.pack("<Q", 10 * GIGABYTE) + b".", early),
        "2⁶⁴ bytes": (HEAD + pickle.BINBYTES8 + b"\xff" * 8 + b".", early),
        "a long number": (HEAD + pickle.LONG4 + b"\xff\xff\xff\x7f.", "the instruction"),
        "a frame of 10 GB": (HEAD + pickle.FRAME + struct.pack("<Q", 10 * GIGABYTE) + b"N.", "opened"),
        "a memo of 2³² places": (HEAD + b"N" + pickle.LONG_BINPUT + b"\xff\xff\xff\xff.", "opened"),
        "a million instructions": (whole(b"N0" * 600_000, b"N"), "more than 1000000 instructions"),
        "a million dicts": (whole(b"(", b"}" * 1_100_000, b"t"), "more than 1000000 instructions"),
        "2⁶⁰ values by reference": (whole(doubled), "it unfolds to more than"),
        "a key that takes 2⁶⁰ steps to hash": (whole(b"}", doubled, b"Ns"), "a key that is neither text nor a number"),
        "a set's member that takes 2⁶⁰ steps": (whole(b"\x8f(", doubled, b"\x90"), "neither text nor a number"),
        "deep nesting": (whole(b"]" * 100_000, b"a" * 99_999), "it nests deeper than"),
        "deep tuples": (whole(b")", b"\x85" * 100_000), "it nests deeper than"),
        "deep shells": (
            whole(named("torch.nn.A") * 5000, b")", (pickle.REDUCE + pickle.TUPLE1) * 5000),
            "it nests deeper than",
        ),
        "a list within itself": (whole(keep(b"]"), AGAIN, b"a"), "or contains itself"),
        "a dict within itself": (whole(keep(b"}"), b"N", AGAIN, b"s"), "or contains itself"),
        "a shell within itself": (whole(keep(SHELL), AGAIN, b"b"), "or contains itself"),
        "a list within its tuple": (whole(keep(b"]"), AGAIN, b"\x85\x85a"), "or contains itself"),
        "one storage, loaded 1000 times": (whole(b"(", blob, loads, b"t"), too_much),
        "one array, made 1000 times": (whole(b"(", again, b"t"), too_much),
        "one text, encoded 1000 times": (
            whole(b"(", keep(text("x" * 1_000_000)), call("_codecs.encode", AGAIN, text("latin1")) * 1000, b"t"),
            too_much,
        ),
        "a storage of 10⁹ numbers": (
            whole(call("torch.storage._load_from_bytes", data(storage_file(count=10**9)))),
            large,
        ),
        "a storage of 2⁶² numbers": (
            whole(call("torch.storage._load_from_bytes", data(storage_file(count=1 << 62)))),
            large,
        ),
        "a storage of -1 numbers": (
            whole(call("torch.storage._load_from_bytes", data(storage_file(count=-1)))),
            "a shape that no tensor has",
        ),
        "a storage shorter than announced": (
            whole(call("torch.storage._load_from_bytes", data(storage_file(count=60)))),
            "another size than announced",
        ),
        "10⁹ of one number": (whole(tensor((10**9,), (0,))), large),
        "100 of one number": (whole(tensor((100,), (0,))), overlap),
        "windows that overlap": (whole(tensor((3, 2), (1, 1))), overlap),
        "beyond the storage": (whole(tensor((5,), (1,))), "a tensor larger than its storage"),
        "beyond by its offset": (whole(tensor((2,), (1,), 3)), "a tensor larger than its storage"),
        "beyond by its stride": (whole(tensor((2,), (1 << 62,))), "a tensor larger than its storage"),
        "before the storage": (whole(tensor((2,), (1,), -1)), "strides make no sense"),
        "backwards": (whole(tensor((2,), (-1,), 1)), "strides make no sense"),
        "a size below 0": (whole(tensor((-2,), (1,))), "a shape that no tensor has"),
        "more sizes than strides": (whole(tensor((2, 2), (1,))), "strides make no sense"),
        "no numbers in 2⁶² rows": (whole(tensor((1 << 62, 0), (1, 1))), large),
        "nine dimensions": (whole(tensor((1,) * 9, (1,) * 9)), "a shape that no tensor has"),
        "an array of 10⁹ numbers": (whole(array((10**9,), bytes(4))), large),
        "an array of 2⁶⁴ numbers": (whole(array((1 << 32, 1 << 32), bytes(4))), large),
        "an array with a size below 0": (whole(array((-1, -1), bytes(4))), "a shape that no tensor has"),
        "an array larger than its bytes": (whole(array((2,), bytes(4))), "shape disagrees with its numbers"),
        "no numbers in 2⁶² rows of an array": (whole(array((1 << 62, 0), b"")), large),
    }  # fmt: skip
    return cases | archive_bombs() | safetensors_bombs()


def archive_bombs() -> dict[str, tuple[bytes, str]]:
    zeros = bytes(50_000_000)
    compressed = torch_archive(whole(announced(12_500_000)), zipfile.ZIP_DEFLATED, _0=zeros)
    honest = torch_archive(whole(announced(250)), _0=bytes(1000))
    central, finish = honest.index(b"PK\x01\x02"), honest.index(b"PK\x05\x06")
    entry = honest[central:finish]
    last = entry[entry.rindex(b"PK\x01\x02") :]
    crowd = entry + b"".join(last.replace(b"data/0", b"data/" + bytes([65 + i])) for i in range(26))
    end = honest[finish:]
    crowded = honest[:central] + crowd + end[:8] + struct.pack("<HHI", 28, 28, len(crowd)) + end[16:]
    stated = bytearray(honest)
    for field in (20, 24):
        struct.pack_into("<I", stated, finish - len(last) + field, 0xFFFFFF00)
    too_long = bytearray(honest)
    struct.pack_into("<I", too_long, finish + 12, 0xFFFFFF00)
    elsewhere = bytearray(honest)
    struct.pack_into("<I", elsewhere, finish - len(last) + 42, len(honest) - 3)
    both = announced(4) + announced(5)
    return {
        "an honest archive": (honest, "opened"),
        "a zip bomb": (compressed, "it is a compressed zip archive"),
        "members that are one": (crowded, "whose members overlap"),
        "a member of 4 GB": (bytes(stated), "a member outside of the archive"),
        "a list of members of 4 GB": (bytes(too_long), "no whole zip archive"),
        "a member elsewhere": (bytes(elsewhere), "a member outside of the archive"),
        "an archive without numbers": (torch_archive(whole(announced(4))), "without the numbers"),
        "an archive with fewer numbers": (torch_archive(whole(announced(5)), _0=bytes(16)), "than announced"),
        "an archive that announces 10⁹": (torch_archive(whole(announced(10**9)), _0=bytes(16)), "larger than the file"),
        "one storage of two sizes": (torch_archive(whole(b"(", both, b"t"), _0=bytes(16)), "two storages named"),
        "an archive cut in half": (honest[: len(honest) // 2], "no whole zip archive"),
    }


def safetensors(header: dict | bytes, numbers: bytes = bytes(16), length: int | None = None) -> bytes:
    written = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(written) if length is None else length) + written + numbers


def safetensors_bombs() -> dict[str, tuple[bytes, str]]:
    def one(shape: list, offsets: tuple = (0, 16), kind: str = "F32") -> dict:
        return {"a": {"dtype": kind, "shape": shape, "data_offsets": offsets}}

    def with_arguments(value: str) -> dict:
        return {"__metadata__": {"arguments": value}, **one([4])}

    disagree = "its header and its numbers disagree"
    return {
        "honest safetensors": (safetensors(one([4])), "opened"),
        "a header of 4 GB": (safetensors(one([4]), length=0xFFFFFFF0), "a header longer than the file"),
        "a header of 5 MB": (safetensors(json.dumps(one([4])).encode() + b" " * 5_000_000), "a header longer"),
        "a shape of 2⁴⁰": (safetensors(one([1 << 40])), disagree),
        "a shape of 2⁶⁴": (safetensors(one([1 << 32, 1 << 32])), disagree),
        "no numbers in 2⁶² rows of safetensors": (safetensors(one([1 << 62, 0], (0, 0)), b""), "larger than the file"),
        "a shape below 0": (safetensors(one([-4])), disagree),
        "numbers beyond the file": (safetensors(one([1 << 20], (0, 1 << 22))), disagree),
        "numbers backwards": (safetensors(one([4], (16, 0))), disagree),
        "an unknown type": (safetensors(one([4], kind="O64")), disagree),
        "a deep header": (safetensors(b"{" + b'"a":[' * 100_000, b""), disagree),
        "no header": (safetensors(b"{", b""), disagree),
        "deep arguments": (safetensors(with_arguments("[" * 200_000)), "arguments that are no JSON"),
        "no arguments": (safetensors(with_arguments("x")), "arguments that are no JSON"),
        "a list for arguments": (safetensors(with_arguments("[]")), "arguments without names"),
    }


def write_sparse(path: Path, head: bytes, size: int) -> None:
    """A file of that size which starts with `head` and goes on with zeros, of which the disk has none."""
    with path.open("wb") as file:
        file.write(head)
        file.truncate(size)


SPARSE = {
    "10 GB of zeros": (b"", 10 * GIGABYTE, "larger than any checkpoint"),
    "3 GB of zeros": (b"", 3 * GIGABYTE, "it is none of"),
    "3 GB in an instruction": (
        HEAD + pickle.BINBYTES8 + struct.pack("<Q", 3 * GIGABYTE),
        3 * GIGABYTE + 1000,
        "uses the instruction",
    ),
    "a zip archive with 3 GB of nothing": (b"PK\x03\x04", 3 * GIGABYTE, "no whole zip archive"),
    "an old torch file with 3 GB of nothing": (OLD_TORCH, 3 * GIGABYTE, "uses the instruction"),
    "safetensors with 3 GB of nothing": (safetensors(b"{}", b""), 3 * GIGABYTE, "its header and its numbers disagree"),
}  # fmt: skip
"""Large files: their first bytes, their size, their refusal."""


def cases(canary: str) -> dict[str, tuple[bytes, str]]:
    """All small ones: the content, and a pattern of the refusal ("opened" where there is none)."""
    return {**runs(canary), **misuses(), **bombs()}
