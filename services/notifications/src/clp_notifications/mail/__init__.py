"""Compose one mail for one person, byte for byte."""
