"""The lock: what decided the bytes, read back and compared with this installation."""

import json
from dataclasses import replace

import pytest
from submissions_made import made, registry

from pgolf.errors import PgolfError
from pgolf.lock import Lock, differences, parse_lock, read_lock
from pgolf.manager import Registry
from pgolf.submission import (
    rebuild,
)


def test_the_lock_says_what_decided_the_bytes():
    lock = made().lock
    assert lock.recipe["plugins"] == ["brotli", "swa"] and lock.settings["num_layers"] == 6
    assert set(lock.plugins) == set(made().resolved.selection.plugins)
    assert lock.plugins["swa"]["origin"] == "pgolf" and len(lock.plugins["swa"]["sha256"]) == 64
    assert lock.modules["pgolf.runtime.train"] and "__main__" not in lock.modules
    assert [(need.kind, need.name) for need in lock.needs] == [("python", "brotli")] and set(lock.tools) >= {
        "pgolf",
        "python-minifier",
    }
    assert lock.pack == {"choice": "plain", "name": "plain"}
    assert not lock.smoke and lock.stages["pack"] == lock.code_bytes


def test_the_lock_makes_the_same_bytes():
    lock = parse_lock(made().lock.dump().encode(), "here")
    assert differences(lock, registry()) == []
    assert rebuild(lock, registry()).code == made().built.code


def test_differences_name_what_differs():
    lock = made().lock
    entry = {**lock.plugins["swa"], "sha256": "0" * 64}
    changed = replace(
        lock,
        plugins={**lock.plugins, "swa": entry, "gone": {"version": "2", "origin": "elsewhere", "sha256": ""}},
        modules={**lock.modules, "pgolf.runtime.train": "0" * 64, "pgolf.runtime.gone": "0" * 64, "os": "0"},
        tools={"pgolf": "0.0.1", "no-such-tool": "1"},
        python="2.7.18",
    )
    text = "\n".join(differences(changed, registry()))
    for part in (
        "the plugin gone (elsewhere 2) is not installed",
        "the plugin swa has another source",
        "the module pgolf.runtime.train has another source",
        "the module pgolf.runtime.gone is not here",
        "the module os is not here",
        "pgolf is 0.1.0 here, 0.0.1 in the lock",
        "no-such-tool is not installed here",
        "2.7.18 in the lock",
    ):
        assert part in text


def test_a_folders_own_path_stays_out_of_the_lock(tmp_path):
    loaded = replace(registry().plugins["swa"], origin=str(tmp_path))
    moved = Registry({**registry().plugins, "swa": loaded})
    lock = replace(made().lock, plugins={})
    assert str(tmp_path) not in lock.dump()
    from pgolf.lock import plugin_entry

    assert plugin_entry(moved.plugins["swa"])["origin"] == "folder"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda document: document.pop("pack"), "pack"),
        (lambda document: document.update(extra=1), "extra"),
        (lambda document: document.update(format=1), "format"),
        (lambda document: document["recipe"].pop("settings"), "recipe.settings"),
        (lambda document: document["recipe"].update(plugins=[1]), "plugin name"),
        (lambda document: document["recipe"]["settings"].update(x=[1]), "setting"),
        (lambda document: document["plugins"].update(x=1), "version, hash or need"),
        (lambda document: document["tools"].update(x=1), "version, hash or need"),
        (lambda document: document.update(smoke="yes"), "smoke"),
    ],
)
def test_a_damaged_lock_is_refused(change, message):
    document = json.loads(made().lock.dump())
    change(document)
    with pytest.raises(PgolfError, match=message) as caught:
        parse_lock(json.dumps(document).encode(), "here")
    assert caught.value.code == "PG505"


@pytest.mark.parametrize("data", [b"", b"\xff", b'{"x": NaN}', b"[]", b"[" * 100_000])
def test_what_is_no_lock_is_refused(tmp_path, data):
    with pytest.raises(PgolfError) as caught:
        parse_lock(data, "here")
    assert caught.value.code == "PG505"
    with pytest.raises(PgolfError, match="no lock"):
        read_lock(tmp_path)


def test_every_field_of_the_lock_is_written():
    assert set(json.loads(made().lock.dump())) == set(Lock.__dataclass_fields__)
