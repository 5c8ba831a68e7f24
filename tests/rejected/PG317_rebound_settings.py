"""`settings` is something else from here on, so `settings.depth` is no literal."""


def run(settings=None):
    settings = dict(depth=3)
    return settings
