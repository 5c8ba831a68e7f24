"""Plans as drawings."""

from xml.etree import ElementTree

from plans import looped, plain

from pgolf.plan.drawing import draw

SVG = "{http://www.w3.org/2000/svg}"


def test_every_step_is_a_box_every_skip_an_arc_and_every_lane_a_line():
    for plan in (plain(), looped()):
        root = ElementTree.fromstring(draw(plan))
        steps = [step for variant in plan.variants for step in variant.steps]
        boxes = root.findall(f".//{SVG}rect")
        assert len(boxes) == len(steps)
        assert sum("again" in box.get("class") for box in boxes) == sum(step.time > 1 for step in steps)
        assert len(root.findall(f".//{SVG}path")) == sum(step.skip is not None for step in steps)
        assert len(root.findall(f".//{SVG}line")) == sum(step.lanes[1] for step in steps)


def test_it_fits_its_frame():
    root = ElementTree.fromstring(draw(looped()))
    right = max(float(box.get("x")) + float(box.get("width")) for box in root.findall(f".//{SVG}rect"))
    assert right < float(root.get("width")) and len(root.findall(f"{SVG}g")) == 2
