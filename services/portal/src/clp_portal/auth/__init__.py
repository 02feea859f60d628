"""Sign-in, sessions and the identity of a signed-in person."""
