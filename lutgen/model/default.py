"""Which model codes images unless told otherwise; `.shipped` has them all."""

__all__ = ["DEEP", "DEFAULT"]

#: What encode, decode and eval take.
DEFAULT = "photo"
#: What a default gives way to where samples have more than 8 significant bits.
DEEP = {"photo": "photo-16"}
