"""Tcl for Vivado: packaging as IP."""

from collections.abc import Mapping, Sequence

from lutgen.names import build_of
from lutgen.registers.register_map import RegisterMap
from lutgen.targets import Target

from .interfaces import CLOCK, RESET, Interface, bus_interfaces
from .ip_xact import FAMILIES, Identity
from .memory_map import (
    BLOCK,
    RANGE,
    check_maps,
    describe,
    field_access,
    register_access,
    write_effect,
)
from .tcl import PRIMITIVES, heading, text, word, words

__all__ = ["gui_tcl", "package_tcl"]


def package_tcl(
    record: Mapping,
    target: Target,
    module: str,
    ports: Sequence[Mapping],
    tables: Sequence[str],
    maps: Mapping[str, RegisterMap] | None = None,
) -> str:
    """``package_ip.tcl``: packages a module as IP, with interfaces, registers, clock and reset.

    Parameters
    ----------
    record:
        ``build.json``, for the heading and the IP's name.
    target:
        Device; its part is the one of the project that packages.
    module:
        Top module.
    ports:
        Its ports as in ``build.json``: dicts of ``name``, ``direction`` and ``width``.
    tables:
        Files that the Verilog reads.
    maps:
        Registers of each AXI4-Lite slave by the interface's name.

    Raises
    ------
    ValueError
        As `.interfaces.bus_interfaces`, if a slave has no registers or registers no slave, or if a
        name would be more than a word to Tcl.
    """
    identity = Identity.of(record)
    interfaces = bus_interfaces(ports)
    maps = check_maps(interfaces, maps or {})
    driver = f"{build_of(record)}_driver.py"
    return heading(record, f"Packages {module} as IP.") + (
        _PACKAGE.replace("@PART@", word(target.part))
        .replace("@MODULE@", word(module))
        .replace("@VENDOR@", word(identity.vendor))
        .replace("@LIBRARY@", word(identity.library))
        .replace("@NAME@", word(identity.name))
        .replace("@VERSION@", word(identity.version))
        .replace("@DISPLAY@", text(identity.display_name))
        .replace("@DESCRIPTION@", text(identity.description))
        .replace("@TABLES@", words(tables))
        .replace("@INTERFACES@", "".join(map(_interface, interfaces)))
        .replace("@MAPS@", "".join(_memory_map(*item) for item in maps.items()))
        .replace("@BLOCK@", BLOCK)
        .replace("@RANGE@", str(RANGE))
        .replace("@FAMILIES@", words([f"{family} Beta" for family in FAMILIES]))
        .replace("@CLOCK@", CLOCK)
        .replace("@RESET@", RESET)
        .replace("@PRIMITIVES@", PRIMITIVES)
        .replace("@DRIVER@", word(driver) if maps else "{}")
        .replace("@BINDING@", _BINDING.format(driver) if maps else _NO_BINDING)
    )


def gui_tcl(record: Mapping) -> str:
    """``xgui.tcl``, which ``component.xml`` names: the IP's window with nothing but its name."""
    return heading(record, "Window of the IP that component.xml describes.") + (
        "proc init_gui {IPINST} {\n"
        "  ipgui::add_param $IPINST -name Component_Name\n"
        "}\n"
    )


def _interface(interface: Interface) -> str:
    ports, parameters = (
        " ".join(f"{word(key)} {word(value)}" for key, value in mapping.items())
        for mapping in (interface.ports, interface.parameters)
    )
    return (
        f"  {{{word(interface.name)} {interface.library} {interface.bus} {interface.mode}\n"
        f"    {{{ports}}}\n"
        f"    {{{parameters}}}}}\n"
    )


def _memory_map(name: str, registers: RegisterMap) -> str:
    lines = [f"  {word(name)} {{"]
    for register in registers:
        access = register_access(register)
        said = text(describe(register))
        lines.append(f"    {{{word(register.name)} {register.offset:#04x} {access} {said}")
        for field in register.fields:
            effect = write_effect(field) or "{}"
            lines.append(
                f"      {{{word(field.name)} {field.low} {field.width} {field_access(field)} "
                f"{effect}"
            )
            lines.append(f"       {text(field.description)}}}")
        lines[-1] += "}"
    return "\n".join([*lines, "  }\n"])


_NO_BINDING = "Nothing else\n# in this folder depends on it."
_BINDING = """PYNQ finds
# the driver by it, bindto in {0}: FOLDER gets a copy of that file that binds to
# the new name. Import the copy, or change "vlnv" in yours. The C drivers do not depend on it."""

_PACKAGE = """\
#   vivado -mode batch -source package_ip.tcl
#   vivado -mode batch -source package_ip.tcl -tclargs --vendor V --library L --name N \\
#       --version 1.0 --out FOLDER
#
# FOLDER, ip beside this script by default, becomes an IP repository with copies of the files. The
# component.xml beside this script says the same without Vivado: use one of the two.
#
# No constraints go into the IP: the clock is the block design's.
#
# The options change what block designs call the IP, and no module. @BINDING@

set part @PART@
set module @MODULE@
# Python that finds the IP by its names, if the build has any.
set driver @DRIVER@
# Read by $readmemh.
set tables {
@TABLES@}
# Name, library and name of the bus, mode, ports by logical port, parameters.
set interfaces {
@INTERFACES@}
# By interface: name, offset, access and description of its registers, and of each its fields:
# name, lowest bit, bits, access, what a write does if it does not store, description.
set maps {
@MAPS@}

# The Verilog names its tables without a folder, so everything runs in theirs.
set caller [pwd]
set here [file dirname [file normalize [info script]]]
set built @VENDOR@:@LIBRARY@:@NAME@:@VERSION@
array set option {
  --vendor @VENDOR@
  --library @LIBRARY@
  --name @NAME@
  --version @VERSION@
}
set option(--out) [file join $here ip]
if {[llength $argv] % 2} {
  error "each option must have a value: $argv"
}
foreach {name value} $argv {
  if {![info exists option($name)]} {
    error "option must be one of [lsort [array names option]], not $name"
  }
  set option($name) $value
}
set root [file normalize $option(--out)]
if {$root eq $here} {
  error "--out must be another folder than this script's, whose component.xml would be lost"
}
cd $here
set file [open files.f]
# Vivado has the primitives that @PRIMITIVES@ models for other tools.
set verilog [lsearch -all -inline -exact -not [split [string trim [read $file]] \\n] @PRIMITIVES@]
close $file

file mkdir $root
set project ${root}_project
create_project -force package $project -part $part
add_files -norecurse $verilog
add_files -norecurse $tables
set_property top $module [current_fileset]
update_compile_order -fileset sources_1
ipx::package_project -root_dir $root -vendor $option(--vendor) -library $option(--library) \\
  -taxonomy /UserIP -import_files -force
set core [ipx::current_core]
set_property name $option(--name) $core
set_property version $option(--version) $core
set_property display_name @DISPLAY@ $core
set_property description @DESCRIPTION@ $core
set_property supported_families {
@FAMILIES@} $core

# What Vivado infers from the ports' names depends on its version.
foreach bus [ipx::get_bus_interfaces -of_objects $core] {
  ipx::remove_bus_interface [get_property name $bus] $core
}
foreach interface $interfaces {
  lassign $interface name library type mode ports parameters
  set bus [ipx::add_bus_interface $name $core]
  set_property abstraction_type_vlnv xilinx.com:$library:${type}_rtl:1.0 $bus
  set_property bus_type_vlnv xilinx.com:$library:$type:1.0 $bus
  set_property interface_mode $mode $bus
  foreach {logical physical} $ports {
    set_property physical_name $physical [ipx::add_port_map $logical $bus]
  }
  foreach {key value} $parameters {
    set_property value $value [ipx::add_bus_parameter $key $bus]
  }
}
# Likewise; an address block too many would change the names that software finds the IP by.
ipx::remove_all_memory_map $core
foreach {name registers} $maps {
  set_property slave_memory_map_ref $name [ipx::get_bus_interfaces $name -of_objects $core]
  set block [ipx::add_address_block @BLOCK@ [ipx::add_memory_map $name $core]]
  foreach {key value} {base_address 0 range @RANGE@ width 32 usage register access read-write} {
    set_property $key $value $block
  }
  foreach register $registers {
    set fields [lassign $register name offset access text]
    set item [ipx::add_register $name $block]
    foreach key {address_offset size access description} value [list $offset 32 $access $text] {
      set_property $key $value $item
    }
    foreach field $fields {
      lassign $field name low width access effect text
      set entry [ipx::add_field $name $item]
      foreach key {bit_offset bit_width access description} \\
        value [list $low $width $access $text] {
        set_property $key $value $entry
      }
      if {$effect ne ""} {
        set_property modified_write_value $effect $entry
      }
    }
  }
}
foreach interface $interfaces {
  if {[lindex $interface 1] eq "interface"} {
    ipx::associate_bus_interfaces -busif [lindex $interface 0] -clock @CLOCK@ $core
  }
}
ipx::associate_bus_interfaces -clock @CLOCK@ -reset @RESET@ $core

ipx::create_xgui_files $core
ipx::update_checksums $core
ipx::check_integrity $core
ipx::save_core $core
close_project -delete
file delete -force $project

set named [join [list $option(--vendor) $option(--library) $option(--name) $option(--version)] :]
if {$driver ne ""} {
  set file [open $driver]
  set text [string map [list $built $named] [read $file]]
  close $file
  set file [open [file join $root $driver] w]
  puts -nonewline $file $text
  close $file
}
if {$named ne $built} {
  puts "packaged as $named, not as $built"
  if {$driver ne ""} {
    puts "[file join $root $driver] binds to that, the one beside this script does not"
  }
}
cd $caller
"""
