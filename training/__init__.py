"""Trainers: images in, codec model files out.

`lutgen.training.tree.train.train_table_model` grows context trees, profile ``raster-table``;
`lutgen.training.dlc.train.train_dlc_model` trains LUT networks by gradients, all profiles.  Nothing
outside this package imports it but the command line, on demand.
"""
