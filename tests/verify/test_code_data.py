"""The lists that judge a submission's imports and calls: well formed, apart from each other, and true of this Python."""

import importlib.util

import pytest

from pgolf.verify import code_data


@pytest.mark.parametrize("name", ["os", "json", "zlib", "distutils", "concurrent"])
def test_the_standard_library_is_known(name):
    assert name in code_data.STANDARD


def test_no_name_is_on_two_lists():
    assert not code_data.STANDARD & code_data.PACKAGES and not code_data.PACKAGES & code_data.DOWNLOADERS
    assert not code_data.STANDARD & code_data.DOWNLOADERS and not code_data.INSTALLERS & code_data.HARMLESS


def test_packages_are_written_as_they_are_imported():
    for name in code_data.PACKAGES | code_data.DOWNLOADERS:
        assert name.isidentifier() and name == name.strip()


@pytest.mark.parametrize("name", sorted(code_data.NETWORK_CALLS | code_data.READERS))
def test_calls_of_what_is_installed_exist(name):
    """Of those that this machine has: a misspelt one would never be found."""
    root, _, rest = name.partition(".")
    if (
        not rest
        or root in ("wandb", "datasets", "huggingface_hub")
        or importlib.util.find_spec(root) is None
        or name == "torch.ops.load_library"
    ):
        return
    module, _, attribute = name.rpartition(".")
    owner = __import__(module.partition(".")[0])
    for part in module.split(".")[1:]:
        owner = getattr(owner, part, None) or importlib.import_module(f"{owner.__name__}.{part}")
    assert hasattr(owner, attribute)


def test_suffixes_have_their_dot():
    suffixes = (*code_data.DATA_SUFFIXES, *code_data.HELPER_SUFFIXES)
    assert all(suffix.startswith(".") and suffix == suffix.lower() for suffix in suffixes)
    assert ".py" in code_data.HELPER_SUFFIXES and ".py" not in code_data.DATA_SUFFIXES
