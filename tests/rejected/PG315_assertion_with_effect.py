"""The assertion is removed, and what it does with it."""


def run():
    items = [1]
    assert items.pop() == 1
    return items
