#   vivado -mode batch -source synth_ooc.tcl
#   vivado -mode batch -source synth_ooc.tcl -tclargs --module NAME --saif FILE --strip-path PATH
#
# --module      this module only, not every one of the build
# --saif        switching activity of a simulation for report_power; of one module, so name it
# --strip-path  instance of the module in that simulation, such as tb/dut, without a leading /
#
# Without --saif, saif/<module>.saif of `lutgen sim --build FOLDER --saif` is read, if there is one
# that is not older than the Verilog.
#
# Leaves reports/<module>/utilization.rpt, utilization_hierarchical.rpt, timing.rpt, power.rpt and
# routed.dcp beside this script. Ports are false paths, see <module>_ooc.xdc.

set part @PART@
set modules {
@MODULES@}
# Read by $readmemh.
set tables {
@TABLES@}

array set option {--module "" --saif "" --strip-path ""}
if {[llength $argv] % 2} {
  error "each option must have a value: $argv"
}
foreach {name value} $argv {
  if {![info exists option($name)]} {
    error "option must be one of [lsort [array names option]], not $name"
  }
  set option($name) $value
}
if {$option(--module) ne ""} {
  if {$option(--module) ni $modules} {
    error "module must be one of [list {*}$modules], not $option(--module)"
  }
  set modules [list $option(--module)]
}
if {$option(--saif) ne ""} {
  if {[llength $modules] != 1} {
    error "--saif must come with --module: a simulation is of one module"
  }
  if {![file exists $option(--saif)]} {
    error "SAIF file must exist, not $option(--saif)"
  }
  set option(--saif) [file normalize $option(--saif)]
}

# The Verilog names its tables without a folder, so everything runs in theirs.
set caller [pwd]
cd [file dirname [file normalize [info script]]]
set file [open files.f]
# Vivado has the primitives that @PRIMITIVES@ models for other tools.
set verilog [lsearch -all -inline -exact -not [split [string trim [read $file]] \n] @PRIMITIVES@]
close $file

foreach module $modules {
  set reports [file join reports $module]
  file mkdir $reports

  create_project -in_memory -part $part
  read_verilog $verilog
  read_mem $tables
  # Before synthesis, which aims at the clock goal.
  read_xdc -mode out_of_context lutgen.xdc
  read_xdc -mode out_of_context ${module}_ooc.xdc
  synth_design -top $module -part $part -mode out_of_context

  opt_design
  place_design
  phys_opt_design
  route_design
  write_checkpoint -force [file join $reports routed.dcp]

  report_utilization -file [file join $reports utilization.rpt]
  # The depth must be given: by default only the top is told of.
  report_utilization -hierarchical -hierarchical_depth 8 \
    -file [file join $reports utilization_hierarchical.rpt]
  report_timing_summary -delay_type min_max -max_paths 10 -report_unconstrained \
    -file [file join $reports timing.rpt]
  set saif $option(--saif)
  set instance $option(--strip-path)
  if {$saif eq ""} {
    set found [file join saif $module.saif]
    if {[file exists $found] && [file mtime $found] >= [file mtime $module.v]} {
      set saif $found
      set instance @INSTANCE@
    } elseif {[file exists $found]} {
      puts "$module: $found is older than $module.v and is not read; simulate again"
    }
  }
  if {$saif ne ""} {
    set strip {}
    if {$instance ne ""} {
      set strip [list -strip_path $instance]
    }
    read_saif {*}$strip -out_file [file join $reports saif_unmatched.rpt] $saif
  } else {
    puts "$module: no SAIF file, so power.rpt tells of Vivado's default activity, not of images"
  }
  report_power -file [file join $reports power.rpt]
  close_project
}
cd $caller
