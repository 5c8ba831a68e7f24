"""A class made anew by every call."""


def run():
    class Local:
        size = 1

    return Local.size
