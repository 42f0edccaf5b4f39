"""One folder for each family of accelerators, and the chassis they share."""
