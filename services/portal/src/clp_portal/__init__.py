"""Pages, a JSON API and sign-in for people (rules 42 to 52)."""
