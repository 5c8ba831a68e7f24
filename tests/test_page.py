"""Pages stand alone, are well formed, and show what is untrusted as text."""

import re
from xml.etree import ElementTree

import pytest
from report_samples import evil, rich

from pgolf.errors import printable
from pgolf.page import document, safe
from pgolf.report.material import Material
from pgolf.report.page import as_record, by_seed, page, total_bytes
from pgolf.verify.outputs_details import Details


@pytest.fixture
def whole(tmp_path):
    return page([rich(tmp_path), rich(tmp_path, "other"), evil(tmp_path)])


def test_the_frame_escapes_its_title():
    found = document("<b>\x1b", "p{}", "<p/>")
    ElementTree.fromstring(found.removeprefix("<!DOCTYPE html>\n"))
    assert "&lt;b&gt;\\x1b" in found and "default-src &#x27;none&#x27;" in found
    assert safe("<" * 9, 2) == "&lt;&lt;" and printable("a\u202eb") == "a\\u202eb"


def test_a_report_is_well_formed_and_loads_nothing(whole):
    root = ElementTree.fromstring(whole.removeprefix("<!DOCTYPE html>\n"))
    tags = {element.tag.rpartition("}")[2] for element in root.iter()}
    assert not tags & {"script", "img", "link", "iframe", "object", "embed", "form", "base", "use", "image"}
    for element in root.iter():
        for name, value in element.attrib.items():
            assert not name.startswith("on") and name not in ("src", "srcset", "action", "data", "formaction")
            assert name != "href" or value.startswith("#")
    assert (
        not re.search(r"url\(|@import|//(?!www\.w3\.org/2000/svg)", re.sub(r"https?\\?:", "", whole)) or "http" in whole
    )
    assert not any(ord(char) < 32 and char != "\n" for char in whole) and "\u202e" not in whole
    assert "<script" not in whole and "&lt;script&gt;" in whole


def test_links_lead_to_sections(whole):
    ids = set(re.findall(r'id="(\w+)"', whole))
    assert len(ids) == 3 and set(re.findall(r'href="#(\w+)"', whole)) == ids


def test_everything_there_is_is_shown(whole):
    for words in (
        *("Score, bits per byte", "Bytes against the cap", "Training loss", "Validation loss", "Bytes of the code"),
        *("Plan of the model", "Ablations", "What verify says", "something: nobody knows", "All folders"),
        *("Bytes of seed7/final_model.int6.ptz", "against the first", "plugin_3", ">1.25000<"),
    ):
        assert words in whole


def test_nothing_known_is_a_page_too(tmp_path):
    bare = Material(tmp_path, {"folder": "x", "verdict": "fail", "checks": []}, Details())
    for materials in ([bare], [bare, bare], [Material(tmp_path)]):
        ElementTree.fromstring(page(materials).removeprefix("<!DOCTYPE html>\n"))
    assert as_record(bare)["val_bpb"] is None and as_record(bare)["bytes_total"] is None


def test_figures_for_machines(tmp_path):
    found = rich(tmp_path)
    assert by_seed(found.numbers) == {1337: 1.25, 42: 1.25, 7: 1.25}
    record = as_record(found)
    assert record["seeds"] == 3 and record["bytes_total"] == total_bytes(found.numbers)
    assert record["unknown"] == ["something: nobody knows"] and record["ablations"]["ablate-toy"]["noise"] == 0.01
