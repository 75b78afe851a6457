// Something that holds in all states that are reached: proven, and then used in other proofs.
module lemma (input clk, rst, holds);
  always @* if (!$initstate) lemma_holds: assert (holds);
endmodule
