"""Names of the models that come with the package, and which codes images unless told otherwise.

`.shipped` loads them; who only names them, as a command's help does, needs no more than this.
"""

__all__ = ["COLOUR", "DEEP", "DEFAULT", "LOSSY", "MOSAIC", "NAMES"]

NAMES = ("photo", "photo-16", "photo-rgb", "photo-bayer", "digits")

#: What encode, decode and eval take.
DEFAULT = "photo"
#: What a default gives way to where samples have more than 8 significant bits.
DEEP = {"photo": "photo-16"}
#: What it gives way to where pixels have several samples, of any depth.
COLOUR = {"photo": "photo-rgb"}
#: What it gives way to for colour filter arrays, of any depth.
MOSAIC = {"photo": "photo-bayer"}

#: The lossy codec, `lutgen.codec.lossy`, which is of another kind.
LOSSY = "loc-lic-mini"
