"""What every service needs to run and no caller needs to know."""
