"""Many trainings of one recipe's variants: what is searched, how, what each came to; Ray only places them."""
