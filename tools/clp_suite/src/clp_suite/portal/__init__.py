"""The portal with the sample world, on this machine only."""
