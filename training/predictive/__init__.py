"""Trainer of profile ``predictive``: scale, predictor, LUT trees and token tables, one by one."""
