"""The host: model importers, reference kernels, compiler, sessions and the command line."""
