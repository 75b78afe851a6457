"""Profile ``predictive``: a linear prediction, and tables of its residual chosen by scale.

What one sample goes through, in the order in which both coders and the gateware do it:

======================  ============================================================
`.neighbourhood`        samples, errors and energies around the sample: quantities
`.features`             scale of the errors; differences normalised by it
`.predictor`            a tree over these chooses a linear predictor: first prediction
`.trees`                sums of small look-up tables: a correction, and a finer scale
`.residual`             difference to the prediction, folded; tokens and raw bits
`.model`                all parameters of these, and the tables of token probabilities
======================  ============================================================
"""
