"""A model beside the usual codecs."""
