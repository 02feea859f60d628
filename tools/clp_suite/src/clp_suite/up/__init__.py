"""All process types on one host: started, watched, started again, and ended."""
