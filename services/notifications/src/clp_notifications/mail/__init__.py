"""What leaves the house: one mail for one person, byte for byte."""
