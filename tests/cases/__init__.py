"""Cases as data, shared by the tests of all layers, and their loader."""
