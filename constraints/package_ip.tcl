#   vivado -mode batch -source package_ip.tcl
#   vivado -mode batch -source package_ip.tcl -tclargs --vendor V --library L --name N \
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
set verilog [lsearch -all -inline -exact -not [split [string trim [read $file]] \n] @PRIMITIVES@]
close $file

file mkdir $root
set project ${root}_project
create_project -force package $project -part $part
add_files -norecurse $verilog
add_files -norecurse $tables
set_property top $module [current_fileset]
update_compile_order -fileset sources_1
ipx::package_project -root_dir $root -vendor $option(--vendor) -library $option(--library) \
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
      foreach key {bit_offset bit_width access description} \
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
