"""Trainers: images in, codec model files out.

`lutgen.training.train.train_table_model` grows context trees, profile ``raster-table``;
`lutgen.training.dlc.train.train_dlc_model` trains LUT networks by gradients, all profiles.  Of the
package, only command line and evaluation import from here, on demand.
"""
