# Clock goal of target @TARGET@: @MHZ@ MHz.
create_clock -period @PERIOD@ -name @CLOCK@ [get_ports @CLOCK@]
