"""Trainers: images in, codec model files out.

`lutgen.training.train.train_table_model` trains the profile ``raster-table``.  Nothing outside
this package imports it but the command line, on demand.
"""
