"""Which model codes images unless told otherwise; `.shipped` has them all."""

__all__ = ["COLOUR", "DEEP", "DEFAULT", "MOSAIC"]

#: What encode, decode and eval take.
DEFAULT = "photo"
#: What a default gives way to where samples have more than 8 significant bits.
DEEP = {"photo": "photo-16"}
#: What it gives way to where pixels have several samples, of any depth.
COLOUR = {"photo": "photo-rgb"}
#: What it gives way to for colour filter arrays, of any depth.
MOSAIC = {"photo": "photo-bayer"}
