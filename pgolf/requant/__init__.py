"""Trained weights through calibration, quantizer and compressor again, over a grid of settings, without training."""
