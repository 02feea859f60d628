"""Identity of callers: passports."""
