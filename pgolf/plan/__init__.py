"""What a recipe's model does step by step, found by running its forward once for each set of phases; as text and drawing."""
