"""``lutgen report``: one self-contained HTML page of a build and of what was measured of it."""
