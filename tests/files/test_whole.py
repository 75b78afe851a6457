import errno
import os
import stat

import pytest

from lutgen.files.whole import OutputError, check_output, scratch_folder, write_file


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


def test_errors_of_a_scratch_folder_name_what_the_user_knows(tmp_path):
    def fail(path=None):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), path and str(path))

    for name, wanted in ((None, str(tmp_path)), ("out/build", "out/build")):
        for inside in ("a.txt", None):
            with pytest.raises(OSError) as info:
                with scratch_folder(".work-", tmp_path, name=name) as folder:
                    fail(inside and folder / inside)
            assert info.value.filename == wanted and info.value.errno == errno.ENOSPC
    with pytest.raises(OSError) as info:
        with scratch_folder(".work-", tmp_path):
            fail("/a/file/of/the/user")
    assert info.value.filename == "/a/file/of/the/user"
    with pytest.raises(OSError) as info:
        with scratch_folder(".work-", tmp_path / "none", name="out"):
            pass
    assert info.value.filename == "out"
    assert not os.listdir(tmp_path)


def test_an_output_that_can_be_written_is_left_as_it_is(tmp_path):
    path = tmp_path / "a.bin"
    check_output(path)
    assert not os.listdir(tmp_path)
    path.write_bytes(b"one")
    check_output(path)
    (tmp_path / "dangling").symlink_to("new.bin")
    check_output(tmp_path / "dangling")
    check_output("/dev/null")
    assert path.read_bytes() == b"one" and sorted(os.listdir(tmp_path)) == ["a.bin", "dangling"]
    (tmp_path / "lost").symlink_to("no/new.bin")
    with pytest.raises(OutputError, match="lost: folder of an output must exist"):
        check_output(tmp_path / "lost")


def test_a_descriptor_of_this_process_is_written_where_it_stands(tmp_path):
    with open(tmp_path / "log", "w+b") as file:
        file.write(b"before ")
        file.flush()
        write_file(f"/dev/fd/{file.fileno()}", b"after")
        file.seek(0)
        assert file.read() == b"before after"
    assert os.listdir(tmp_path) == ["log"]
