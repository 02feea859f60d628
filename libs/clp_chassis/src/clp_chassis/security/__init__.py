"""Who calls: passports."""
