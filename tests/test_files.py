import os
import stat

import pytest

from lutgen.files import write_file


def test_a_file_is_written_and_replaced(tmp_path):
    path = tmp_path / "a.bin"
    write_file(path, b"one")
    write_file(str(path), b"two")
    assert path.read_bytes() == b"two"
    assert os.listdir(tmp_path) == ["a.bin"]


def test_a_failure_leaves_what_was_there(tmp_path):
    path = tmp_path / "a.bin"
    write_file(path, b"one")
    with pytest.raises(TypeError):
        write_file(path, "no bytes")
    assert path.read_bytes() == b"one"
    assert os.listdir(tmp_path) == ["a.bin"]


def test_a_link_is_followed_and_the_mode_kept(tmp_path):
    path = tmp_path / "a.bin"
    path.write_bytes(b"one")
    path.chmod(0o640)
    link = tmp_path / "link"
    link.symlink_to(path)
    write_file(link, b"two")
    assert link.is_symlink() and path.read_bytes() == b"two"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_a_new_file_has_the_usual_mode(tmp_path):
    (tmp_path / "usual").write_bytes(b"")
    write_file(tmp_path / "ours", b"")
    assert (tmp_path / "ours").stat().st_mode == (tmp_path / "usual").stat().st_mode


def test_devices_are_not_replaced():
    write_file("/dev/null", b"gone")
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)


def test_names_as_long_as_can_be(tmp_path):
    path = tmp_path / ("a" * 250 + ".bin")
    write_file(path, b"long")
    assert path.read_bytes() == b"long"


@pytest.mark.parametrize("name", ["none/a.bin", "."])
def test_errors_name_the_file_asked_for(tmp_path, name):
    path = str(tmp_path / name)
    with pytest.raises(OSError) as info:
        write_file(path, b"")
    assert info.value.filename in (path, os.path.realpath(path))
