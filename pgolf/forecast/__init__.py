"""How many bytes a recipe's artifact will have, before anything is trained."""
