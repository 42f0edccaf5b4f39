"""A weight-stationary systolic array after Google's TPU v1."""
