"""Two recipes, folders, locks or logs side by side."""
