"""Images to train on, and samples of their pixels."""
