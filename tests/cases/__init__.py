"""Inputs that must be taken without harm, as data, and the loader that reads them."""
