"""Files of the npm package @vladmandic/face-api (MIT): its photos of groups, and small networks that read faces."""

import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Sequence
from pathlib import Path

from photodrag.weights.common.files import cache_folder, write_whole

PACKAGE = "@vladmandic/face-api@1.7.15"


def npm_files(paths: Sequence[str]) -> list[Path] | None:
    """Files by their paths in the package, kept in the user's cache, fetched where they aren't there; None where npm
    isn't, either."""
    files = [cache_folder("bench") / Path(path).name for path in paths]
    if all(file.exists() for file in files):
        return files
    if not (npm := shutil.which("npm")):
        return None
    files[0].parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as packed:
        subprocess.run([npm, "pack", "--silent", PACKAGE], cwd=packed, check=True, capture_output=True)
        with tarfile.open(next(Path(packed).glob("*.tgz"))) as archive:
            for path, file in zip(paths, files, strict=True):
                content = archive.extractfile(f"package/{path}").read()
                write_whole(file, lambda out, content=content: out.write(content))
    return files
