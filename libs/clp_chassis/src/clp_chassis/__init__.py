"""The machinery that every service runs on."""
