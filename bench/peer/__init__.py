"""The same conversation here and in Matrix Synapse, on one machine in one run."""
