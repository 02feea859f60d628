"""The only package of the portal that sees a request or builds a response."""
