"""Which folder of the gateware each module of a core's Verilog comes from."""

from collections.abc import Iterator

from amaranth.hdl import Fragment

from lutgen.build.blueprints import blueprint_kind
from lutgen.gateware.fabric.plain_names import MODULE_SEPARATOR

__all__ = ["rooms"]

_GATEWARE = "lutgen.gateware."


def rooms(model, options, core: str) -> dict[str, str]:
    """Folders by modules, without what all modules of the core begin with; the top is ``""``.

    Parameters
    ----------
    model, options :
        As for `lutgen.build.codec.build`.
    core :
        "encoder" or "decoder".
    """
    component = blueprint_kind(model.profile)(model, options).component(core)
    top = Fragment.get(component, getattr(component, "fabric", None))
    return dict(_walk(top, "", "core"))


def _walk(fragment: Fragment, path: str, room: str) -> Iterator[tuple[str, str]]:
    """A module and those in it; what is of no component of its own is of the one around it."""
    for origin in fragment.origins or ():
        module = type(origin).__module__
        if module.startswith(_GATEWARE):
            room = module.removeprefix(_GATEWARE).split(".")[0]
            break
    yield path, room
    for inner, name, *_ in fragment.subfragments:
        if name:
            yield from _walk(inner, path + MODULE_SEPARATOR + name, room)
