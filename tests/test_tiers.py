"""Every test is in one share of the exhaustive ones, and shares that are none are refused."""

import subprocess
import sys

import pytest

from tests.tiers import all_slow, parse_share, split_share


@pytest.mark.parametrize("shares", [1, 2, 7, 30])
def test_each_group_is_in_one_share(shares):
    groups = [f"core {k}" for k in range(23)]
    parts = [split_share(groups * 2, (number, shares)) for number in range(1, shares + 1)]
    assert sorted(group for part in parts for group in part) == sorted(groups)
    assert max(map(len, parts)) - min(map(len, parts)) <= 1


@pytest.mark.parametrize("text", ["", "0/8", "9/8", "1/0", "1", "1/8/2", "-1/8", "1.5/8"])
def test_what_is_no_share(text):
    with pytest.raises(ValueError, match="^a share is K/N with K from 1 to N, e.g. 3/8, not "):
        parse_share(text)


def test_values_need_an_order():
    with pytest.raises(TypeError, match="order"):
        all_slow({1, 2})


FILE = """
import pytest

@pytest.mark.exhaustive
@pytest.mark.parametrize("number", range(5))
def test_long(number):
    pass

@pytest.mark.exhaustive
@pytest.mark.parametrize("size", [1, 2])
@pytest.mark.parametrize("name", ["a", "b"])
def test_core(name, size):
    pass

@pytest.mark.slow
def test_slow():
    pass

def test_quick():
    pass
"""


@pytest.mark.parametrize(("options", "wanted"), [
    (["-m", "not slow"], ["test_quick"]),
    (["-m", ""], [*(f"test_long[{k}]" for k in range(5)), "test_core[a-1]", "test_core[a-2]",
                  "test_core[b-1]", "test_core[b-2]", "test_slow", "test_quick"]),
    # What has a name is dealt out by it.
    (["-m", "not slow or exhaustive", "--exhaustive", "2/5"],
     ["test_long[1]", "test_core[b-1]", "test_core[b-2]", "test_quick"]),
    (["-m", "exhaustive", "--exhaustive", "3/5"], ["test_long[2]"]),
])  # fmt: skip
def test_what_is_run(tmp_path, options, wanted):
    (tmp_path / "test_it.py").write_text(FILE)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "--collect-only", "-p", "tests.conftest",
         "--rootdir", tmp_path, "-o", "markers=slow\nexhaustive", *options,
         tmp_path / "test_it.py"], capture_output=True, text=True,
    )  # fmt: skip
    found = [line.rpartition("::")[2] for line in done.stdout.splitlines() if "::" in line]
    assert found == wanted, done.stdout + done.stderr


def test_error_of_the_command():
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "--collect-only", "--exhaustive", "9/8", __file__],
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 4
    assert "a share is K/N with K from 1 to N, e.g. 3/8, not '9/8'" in done.stderr
