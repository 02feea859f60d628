"""Generate deployment files from the code: permissions, roles, keys, manifests."""
