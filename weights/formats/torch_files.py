"""Files by torch.save: a zip archive whose data.pkl refers to members with the tensors' numbers."""

import struct
from zipfile import ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from photodrag.weights.formats.budget import Budget, Refused, damaged
from photodrag.weights.formats.pickled import read
from photodrag.weights.formats.pickled_tensors import Storages

ZIP = b"PK\x03\x04"
MAX_DIRECTORY = 4 << 20
"""Bytes of a zip archive's list of members; torch.save writes about a hundred for each tensor."""

LOCAL_HEADER = struct.Struct("<4s22xHH")


def read_torch_zip(data: memoryview) -> object:
    """What an archive by torch.save (of PyTorch 1.6 and later) holds, with the types that `pickled.read` gives.

    Raises Refused for other archives, for compressed or overlapping members, and for what a pickle
    is refused for."""
    infos = _directory(data)
    folder = next((name.removesuffix("/data.pkl") for name in infos if name.endswith("/data.pkl")), None)
    if folder is None:
        raise Refused("it is a zip archive, but none by torch.save; if a checkpoint is in it, unpack it")
    members = {name: _member(info, data) for name, info in infos.items()}
    if sum(map(len, members.values())) > len(data):
        raise Refused("it is a zip archive whose members overlap; get it from another source")
    if members.get(f"{folder}/byteorder", b"little") != b"little":
        raise damaged("its numbers are not in the usual order")
    budget = Budget(len(data))
    storages = Storages(budget)
    value, _ = read(members[f"{folder}/data.pkl"], budget, storages.announce)
    for key in storages.by_key:
        name = f"{folder}/data/{key}"
        if name not in members:
            raise damaged(f"without the numbers {key[:20]!a}")
        storages.fill(key, members[name])
    return value


def _directory(data: memoryview) -> dict[str, ZipInfo]:
    """The archive's list of members, by name."""
    try:
        with ZipFile(_Reader(data)) as archive:
            return {info.filename: info for info in archive.infolist()}
    except (BadZipFile, NotImplementedError, ValueError, OverflowError, struct.error) as error:
        raise damaged("no whole zip archive") from error


def _member(info: ZipInfo, data: memoryview) -> memoryview:
    """A member's bytes in the archive, where torch.save puts them as they are. Their checksum isn't
    looked at: torch.save may be told not to give it."""
    if info.compress_type != ZIP_STORED or info.flag_bits & 1 or info.file_size != info.compress_size:
        raise Refused("it is a compressed zip archive, which torch.save doesn't write; get it from another source")
    start = info.header_offset + LOCAL_HEADER.size
    header = data[info.header_offset : start] if info.header_offset >= 0 else b""
    if len(header) < LOCAL_HEADER.size:
        raise damaged("a member outside of the archive")
    signature, name, extra = LOCAL_HEADER.unpack(header)
    start += name + extra
    if signature != ZIP or start + info.file_size > len(data):
        raise damaged("a member outside of the archive")
    return data[start : start + info.file_size]


class _Reader:
    """`data` as the file that zipfile wants, which never reads more than a sensible list of members."""

    def __init__(self, data: memoryview) -> None:
        self.data, self.position = data, 0

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = 0) -> int:
        self.position = offset + (0, self.position, len(self.data))[whence]
        if self.position < 0:
            raise ValueError("before the file's start")
        return self.position

    def tell(self) -> int:
        return self.position

    def read(self, count: int = -1) -> bytes:
        end = len(self.data) if count < 0 else min(self.position + count, len(self.data))
        if end - self.position > MAX_DIRECTORY:
            raise ValueError("too long a list of members")
        start, self.position = self.position, max(self.position, end)
        return bytes(self.data[start:end])
