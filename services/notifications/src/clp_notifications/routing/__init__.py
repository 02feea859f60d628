"""What the routing process does: one function for each thing that may be asked."""
