"""Programs whose functions are called once or twice, and what they print."""

import contextlib
import io

from hypothesis import strategies as st

HELPERS = """
def note(*values):
    print(*values)
    return values[-1]
"""
MAIN = "if __name__ == '__main__':\n    main()\n"


def output(text):
    """What a program prints, and the error that ends it."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        try:
            exec(compile(text, "program", "exec"), {"__name__": "__main__"})
        except Exception as error:
            print(type(error).__name__, error)
    return printed.getvalue()


NAMES = ("a", "b", "c", "x", "y")
names = st.sampled_from(NAMES)
HEAD = (
    HELPERS
    + """
class Box:
    def __init__(self, held):
        self.held_one = held
        self.count_of = 0
    def __del__(self):
        print("gone", self.held_one)
    def __repr__(self):
        return "box"
    def bump_it(self, by):
        self.count_of += by
        return self.count_of
    def look_up(self, by):
        return (by, self.held_one, self.count_of)
BOX = Box(3)
TOTAL = 1
"""
)


def widen(inner):
    return st.one_of(
        inner.map("note({})".format),
        st.tuples(inner, inner).map(lambda item: f"[{item[0]}, {item[1]}]"),
        st.tuples(inner, inner, inner).map(lambda item: f"({item[0]} if {item[1]} else {item[2]})"),
        st.tuples(inner, inner).map(lambda item: f"({item[0]} and {item[1]})"),
        st.tuples(inner, names).map(lambda item: f"[({item[0]}, {item[1]}) for {item[1]} in (1, 2)]"),
        st.tuples(inner, names).map(lambda item: f"sum(len(str({item[0]})) for {item[1]} in (1, 2))"),
        inner.map("Box({}).held_one".format),
        inner.map("(BOX.count_of, {}, TOTAL)".format),
        names.map("f'{{{}}}'".format),
    )


values = st.recursive(st.one_of(names, st.integers(0, 3).map(str), st.just("BOX.held_one")), widen, max_leaves=4)


FIRST = (
    [],
    ["a = [1]"],
    ["a = b = c = 2"],
    ["a, b, c = 2, [3], Box(4)"],
    ["a, b, c, x, y = 2, 3, [4], Box(5), 6"],
    ["a = b = c = x = y = 7"],
    ["a, b, c, x, y = 2, 3, 4, 5, Box(6)"],
)


def pad(lines):
    return ["    " + line for line in lines]


def blocks(inner):
    block = st.lists(inner, min_size=1, max_size=3).map(lambda parts: pad([line for part in parts for line in part]))
    return st.one_of(
        st.tuples(values, block, block).map(lambda item: [f"if {item[0]}:", *item[1], "else:", *item[2]]),
        st.tuples(values, block).map(lambda item: [f"if {item[0]}:", *item[1]]),
        st.tuples(names, block).map(lambda item: [f"for {item[0]} in (1, 2):", *item[1]]),
        st.tuples(block, names, block).map(
            lambda item: ["try:", *item[0], f"except TypeError as {item[1]}:", *item[2]]
        ),
        st.tuples(block, block).map(lambda item: ["try:", *item[0], "finally:", *item[1]]),
    )


lines = st.one_of(
    st.tuples(names, values).map(lambda item: [f"{item[0]} = {item[1]}"]),
    st.tuples(names, names, values).map(lambda item: [f"{item[0]}, {item[1]} = {item[2]}, 5"]),
    st.tuples(names, values).map(lambda item: [f"{item[0]} += {item[1]}"]),
    names.map(lambda name: [f"{name} = Box(1)"]),
    values.map(lambda value: [f"note({value})"]),
    st.one_of(values, names).map(lambda value: [f"return {value}"]),
    names.map(lambda name: [f"BOX.count_of += len(str({name}))"]),
    names.map(lambda name: [f"del {name}"]),
    st.just(["return"]),
    st.just(["TOTAL = TOTAL + 1"]),
)
calls = st.one_of(
    values.map("CALL({})".format),
    st.tuples(values, values).map(lambda item: f"CALL({item[0]}, {item[1]})"),
    st.tuples(values, values).map(lambda item: f"CALL(q={item[0]}, p={item[1]})"),
)
sites = st.one_of(
    st.tuples(names, calls).map(lambda item: [f"{item[0]} = {item[1]}"]),
    st.tuples(names, names, calls).map(lambda item: [f"{item[0]}, {item[1]} = {item[2]}"]),
    st.tuples(names, names, values, calls).map(lambda item: [f"{item[0]}, {item[1]} = {item[2]}, {item[3]}"]),
    st.tuples(names, calls).map(lambda item: [f"{item[0]} += {item[1]}"]),
    calls.map(lambda call: [call]),
    calls.map(lambda call: [f"return {call}"]),
    calls.map(lambda call: [f"note({call}, 4)"]),
    st.tuples(values, calls).map(lambda item: [f"note({item[0]}, {item[1]})"]),
    calls.map(lambda call: [f"BOX.count_of = len(str({call}))"]),
    calls.map(lambda call: [f"if {call}:", "    note(8)"]),
    st.tuples(names, calls, names).map(lambda item: [f"for {item[0]} in [{item[1]}]:", f"    note({item[2]})"]),
    st.tuples(calls, names).map(lambda item: [f"note([{item[0]} for {item[1]} in (1, 2)])"]),
    calls.map(lambda call: [f"note(f'{{{call}}}')"]),
)
small = st.one_of(values.map(lambda value: [[f"return {value}"]]), st.lists(st.recursive(lines, blocks, max_leaves=4)))


@st.composite
def programs(draw):
    """Three functions that are called once or twice, one after the other, and a method."""
    text = HEAD
    for number in range(4):
        body = [line for part in draw(small) for line in part]
        for called in ((), ("f0",), ("f1", "BOX.bump_it"), ("f2", "BOX.look_up"))[number]:
            site = draw(sites)
            if draw(st.booleans()):
                site = draw(blocks(st.just(site)))
            starts = [
                place for place, line in enumerate(body) if not line.startswith((" ", "else", "except", "finally"))
            ]
            at = draw(st.sampled_from([*starts, len(body)]))
            body[at:at] = [line.replace("CALL", called) for line in site]
        given = draw(st.sampled_from(("p", "p, q=0", "a, x=1", "x, y=2", "p, q=BOX"))) if number < 3 else ""
        declared = ["global TOTAL"] if any(line.strip().startswith("TOTAL =") for line in body) else []
        declared += draw(st.sampled_from(FIRST))
        text += f"def {'f' + str(number) if number < 3 else 'main'}({given}):\n"
        text += "\n".join(pad([*declared, *(body or ["pass"])])) + "\n"
    return text + MAIN


def outcome(text):
    """What a program prints; the words of an error may name other variables, and objects may be gone sooner."""
    printed = output(text).splitlines()
    return [line.split(" ")[0] if "Error" in line else line for line in printed if not line.startswith("gone")]
