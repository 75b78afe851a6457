"""Which cells the contexts of MLIC++ look at, computed here cell by cell."""

import math

import pytest
import torch

from lutgen.training.loclic.contexts.checkerboard import anchors, windows
from lutgen.training.loclic.contexts.intra_slice_context import IntraSliceContext
from lutgen.training.loclic.contexts.local_context import LocalContext


def seen_by(layer):
    """Inputs of a layer, each time that it is called."""
    inputs = []
    layer.register_forward_hook(lambda _, given, __: inputs.append(given[0].detach()))
    return inputs


def test_windows_end_at_the_image():
    mask = anchors(torch.zeros(1, 1, 3, 4))
    found = windows(mask, 3).reshape(3, 4, 3, 3)
    for row in range(3):
        for column in range(4):
            for y in range(3):
                for x in range(3):
                    at = row + y - 1, column + x - 1
                    inside = 0 <= at[0] < 3 and 0 <= at[1] < 4
                    assert found[row, column, y, x] == (inside and mask[at])


@pytest.mark.parametrize(("height", "width"), [(4, 6), (5, 5), (1, 1)])
def test_window_attention_is_among_anchors_of_the_image(height, width):
    """At the border as in the middle: what is padded is no anchor, and takes no weight."""
    torch.manual_seed(0)
    c, k, heads = 4, 5, LocalContext.HEADS
    context = LocalContext(c, k).double().eval()
    mask = anchors(torch.zeros(1, 1, height, width))
    x = torch.randn(2, c, height, width, dtype=torch.float64) * mask
    windows_seen = seen_by(context.fuse)
    with torch.no_grad():
        assert torch.isfinite(context(x, mask)).all()
        q, key, v = context.project(context.norm(x.permute(0, 2, 3, 1))).split(c, 3)
    found = windows_seen[0].reshape(2, height, width, c, k, k)
    half, part = k // 2, c // heads
    for image in range(2):
        for row in range(height):
            for column in range(width):
                near = [
                    (y, z) for y in range(max(0, row - half), min(height, row + half + 1))
                    for z in range(max(0, column - half), min(width, column + half + 1))
                    if mask[y, z]
                ]  # fmt: skip
                expected = torch.zeros(c, k, k, dtype=torch.float64)
                for head in range(heads):
                    own = slice(head * part, (head + 1) * part)
                    for y, z in near:
                        scores = torch.stack([
                            (q[image, y, z, own] * key[image, a, b, own]).sum() / math.sqrt(part)
                            + context.bias[head, (y - a + k - 1) * (2 * k - 1) + z - b + k - 1]
                            for a, b in near
                        ])  # fmt: skip
                        values = torch.stack([v[image, a, b, own] for a, b in near])
                        out = scores.softmax(0) @ values
                        expected[own, y - row + half, z - column + half] = out
                assert torch.allclose(found[image, row, column], expected)


def test_the_local_context_normalises_what_it_mixes():
    torch.manual_seed(0)
    context = LocalContext(8, 5).eval()
    mixed = seen_by(context.mix[0])
    mask = anchors(torch.zeros(1, 1, 4, 4))
    with torch.no_grad():
        context(5 * torch.randn(1, 8, 4, 4) * mask, mask)
    assert torch.allclose(mixed[0].mean(2), torch.zeros(1, 16), atol=1e-5)
    assert torch.allclose(mixed[0].var(2, correction=0), torch.ones(1, 16), atol=1e-2)


def test_the_global_context_of_a_slice_is_from_anchors_to_the_others():
    torch.manual_seed(0)
    c, height, width = 4, 4, 6
    context = IntraSliceContext(c).double().eval()
    mask = anchors(torch.zeros(1, 1, height, width))
    before = torch.randn(2, c, height, width, dtype=torch.float64)
    here = torch.randn(2, c, height, width, dtype=torch.float64) * mask
    attended = seen_by(context.merge)
    with torch.no_grad():
        context(before, here, mask)
        q = context.query(before * ~mask)[:, :, ~mask]
        k, v = context.key(before * mask)[:, :, mask], context.value(here)[:, :, mask]
    found, part = attended[0], c // IntraSliceContext.HEADS
    assert not found[:, :, mask].any()
    for own in (slice(0, part), slice(part, c)):
        pairs = torch.einsum("bcn,bcm->bnm", q[:, own].softmax(1), k[:, own].softmax(2))
        expected = torch.einsum("bnm,bcm->bcn", pairs, v[:, own])
        assert torch.allclose(found[:, own][:, :, ~mask], expected)
