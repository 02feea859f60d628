"""What a deployment is made of, drawn from the code: rights, roles, environments."""
