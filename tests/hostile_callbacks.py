"""Scenes in which functions and methods are handed to libraries, which call them as they like."""

from hostile_draw import Env
from hostile_libraries import Libraries

COUNTER = """
class {name}:
    def __init__(self, {one}={start}):
        self.{one} = {one}
        self.{two} = []
    def {method}(self, {first}, {second}={default}):
        self.{one} += 1
        self.{two}.append({first})
        return {result}
"""


class Callbacks(Libraries):
    """Each scene gives (definitions, statements)."""

    def callback(self, env):
        """(definitions, names of two parameters, expressions of functions of two numbers; the second has a default)."""
        name, function = self.new("Counter"), self.top("task")
        first, second = self.words(2, "self", function)
        one, two, method = self.words(3, "self")
        inside = Env([first, second])
        result = self.number(inside, 2)
        default = self.digit()
        text = COUNTER.format(
            name=name, one=one, two=two, method=method, first=first, second=second, default=default, start=self.digit(),
            result=self.pick((result, f"{result} + self.{one}", f"self.{one} * 10 + {second}")),
        )  # fmt: skip
        text += f"def {function}({first}, {second}={default}):\n    return {self.number(inside, 2)}\n"
        taken = [f"{name}().{method}", function, f"functools.partial({function}, {second}={self.digit()})"]
        taken.append(f"functools.partial({name}({self.digit()}).{method}, {second}={self.digit()})")
        taken.append(f"lambda {first}, {second}={self.digit()}: {function}({second}={second}, {first}={first})")
        return text.strip().splitlines(), (first, second), taken

    def numbers(self, env, count=4):
        return "[" + ", ".join(self.number(env, 1) for _ in range(count)) + "]"

    def scene_sorted(self, env):
        lines, _words, taken = self.callback(env)
        form = self.pick(("sorted({}, key={})", "max({}, key={})", "sorted({}, key={}, reverse=True)"))
        return lines, [f"print({form.format(self.numbers(env), self.pick(taken))})" for _ in range(2)]

    def scene_reduced(self, env):
        lines, _words, taken = self.callback(env)
        taken = [call for call in taken if "partial" not in call]  # these are called with two arguments
        forms = ("functools.reduce({1}, {0}, 1)", "list(itertools.accumulate({0}, {1}))", "list(map({1}, {0}, {0}))")
        forms += ("list(filter({1}, {0}))", "list(itertools.starmap({1}, [(1, 2), (3,)]))")
        return lines, [f"print({self.pick(forms).format(self.numbers(env), self.pick(taken))})" for _ in range(2)]

    def scene_threaded(self, env):
        lines, (one, two), taken = self.callback(env)
        body = [f"call = {self.pick(taken)}", "def inside(**words):", "    print('thread', call(**words))"]
        body += [
            f"one = threading.Thread(target=inside, kwargs={{'{two}': {self.number(env, 1)}, '{one}': {self.digit()}}})"
        ]
        body += [
            "one.start()",
            "one.join()",
            f"two = threading.Thread(target=call, kwargs={{'{one}': 2}})",
            "two.start()",
            "two.join()",
        ]
        return lines, [*body, "print(call(1))"]

    def scene_executed(self, env):
        lines, (one, two), taken = self.callback(env)
        body = ["with ThreadPoolExecutor(1) as pool:"]
        body += [f"    first = pool.submit({self.pick(taken)}, {one}={self.number(env, 1)})"]
        body += [
            f"    second = pool.submit({self.pick(taken)}, 3, {two}=4)",
            f"    third = pool.map({self.pick(taken)}, [1, 2])",
        ]
        return lines, [*body, "print(first.result(), second.result(), list(third))"]

    def scene_finalised(self, env):
        lines, (one, two), taken = self.callback(env)
        body = [
            f"call = {self.pick(taken)}",
            "class_ = threading.local()",
            "def inside(**words):",
            "    print('end', call(**words))",
        ]
        body += [
            f"end = weakref.finalize(class_, inside, {one}={self.digit()}, {two}={self.number(env, 1)})",
            "print('before')",
            "end()",
        ]
        body += ["with contextlib.ExitStack() as stack:", f"    stack.callback(inside, {one}={self.digit()})"]
        return lines, [
            *body,
            f"    print({self.number(env, 1)})",
            f"atexit.register(call, {one}=1)",
            "atexit.unregister(call)",
        ]

    def scene_scheduled(self, env):
        lines, (one, two), taken = self.callback(env)
        clock = self.new("Clock")
        now = self.word("wait")
        lines += [f"class {clock}:", "    def __init__(self):", f"        self.{now} = 0", "    def time(self):"]
        lines += [
            f"        self.{now} += 1",
            f"        return self.{now}",
            "    def wait(self, delay):",
            f"        self.{now} += delay",
        ]
        body = [
            f"clock, call, out = {clock}(), {self.pick(taken)}, []",
            "plan = sched.scheduler(clock.time, clock.wait)",
        ]
        body += ["def inside(**words):", "    out.append(call(**words))"]
        body += [f"plan.enter({self.digit()}, 1, inside, kwargs={{'{one}': {self.number(env, 1)}}})"]
        body += [f"plan.enter({self.digit()}, 2, inside, kwargs={{'{two}': 4, '{one}': 5}})", "plan.run()"]
        return lines, [*body, f"print(out, clock.{now})"]

    def scene_substituted(self, env):
        """re.sub calls a function with a match."""
        name, one, two = self.new("Counter"), *self.words(2, "self", "swap")
        lines = [
            f"class {name}:",
            "    def __init__(self):",
            f"        self.{one} = {self.digit()}",
            f"    def swap(self, {two}):",
        ]
        lines += [f"        self.{one} += 1", f"        return {two}.group(0).upper() + str(self.{one})"]
        function = self.top("task")
        lines += [f"def {function}({two}):", f"    return {two}[1] + {two}.group('b')"]
        body = [f"counter = {name}()", f"print(re.sub('a.', counter.swap, 'abacad'), counter.{one})"]
        return lines, [*body, f"print(re.sub(r'(x)(?P<b>y)', {function}, 'xyxy'))"]

    def scene_grouped(self, env):
        lines, _words, taken = self.callback(env)
        forms = (
            "[(key, list(group)) for key, group in itertools.groupby({0}, {1})]",
            "heapq.nsmallest(2, {0}, key={1})",
        )
        forms += (
            "list(itertools.takewhile({1}, {0}))",
            "list(heapq.merge([1, 2], [1, 5], key={1}))",
            "bisect.bisect([1, 2, 3], 2, key={1})",
        )
        return lines, [f"print({self.pick(forms).format(self.numbers(env), self.pick(taken))})" for _ in range(2)]

    def scene_parsed(self, env):
        lines, (one, two), _taken = self.callback(env)
        task = self.top("task")
        lines += [f"def {task}(text):", f"    return int(text) + {self.digit()}"]
        body = [
            f"print(json.loads('[1, {{\"k\": 2}}]', parse_int={task}))",
            "parser = argparse.ArgumentParser(prog='p')",
        ]
        body += [
            f"parser.add_argument('--{one}', type={task}, default='3')",
            f"parser.add_argument('{two}', nargs='*', type={task})",
        ]
        return lines, [*body, f"asked = parser.parse_args(['4', '--{one}', '5'])", f"print(asked.{one}, asked.{two})"]

    def scene_defaulted(self, env):
        name, one = self.new("Source"), self.word("make")
        lines = [
            f"class {name}:",
            "    def __init__(self):",
            f"        self.{one} = {self.digit()}",
            "    def make(self):",
        ]
        lines += [f"        self.{one} += 1", f"        return self.{one}"]
        body = [
            f"source = {name}()",
            "table = collections.defaultdict(source.make)",
            f"print(table['a'], table['b'], source.{one}, table['a'])",
        ]
        return lines, [*body, f"print(list(iter(source.make, source.{one} + 4)), source.{one})"]

    def scene_iterated(self, env):
        """A class that iterates, and a generator that gets values and errors."""
        name, one, two = self.new("Turns"), *self.words(2, "self")
        lines = [
            f"class {name}:",
            f"    def __init__(self, {two}):",
            f"        self.{one} = {two}",
            "    def __iter__(self):",
        ]
        lines += [
            "        return self",
            "    def __next__(self):",
            f"        self.{one} -= 1",
            f"        if self.{one} < 0:",
        ]
        lines += ["            raise StopIteration", f"        return self.{one}"]
        task = self.top("task")
        lines += [
            f"def {task}({two}):",
            "    try:",
            "        while True:",
            f"            sent = yield {two}",
            f"            {two} += sent or 1",
        ]
        lines += [
            "    except GeneratorExit:",
            f"        print('closed', {two})",
            "        raise",
            "    finally:",
            f"        print('finally', {two})",
        ]
        body = [f"turns = {name}({self.digit()})", f"print(next(turns), turns.{one}, list(turns), turns.{one})"]
        return lines, [
            *body,
            f"flow = {task}({self.number(env, 1)})",
            "print(next(flow), flow.send(3), next(flow))",
            "flow.close()",
        ]

    def scene_partial(self, env):
        lines, (one, two), taken = self.callback(env)
        body = [
            f"call = functools.partial({self.pick(taken)}, {one}={self.number(env, 1)})",
            f"print(call(), call({two}={self.digit()}))",
        ]
        return lines, [*body, "print(sorted(call.keywords))"]

    def scene_cached(self, env):
        """A cache sees how it is called."""
        task, (one, two) = self.top("task"), self.words(2)
        lines = [
            "@functools.lru_cache(None)",
            f"def {task}({one}, {two}=1):",
            f"    print('computed', {one}, {two})",
            f"    return {one} + {two}",
        ]
        calls = [f"{task}(1)", f"{task}({one}=1)", f"{task}(1, 1)", f"{task}({two}=1, {one}=1)", f"{task}(1, {two}=1)"]
        return lines, [f"print({', '.join(self.sample(calls, 4))}, {task}.cache_info().misses)"]

    def scene_compared(self, env):
        name, one = self.new("Card"), self.word()
        lines = [
            f"class {name}:",
            "    def __init__(self, rank):",
            f"        self.{one} = rank",
            "    def __lt__(self, other):",
        ]
        lines += [f"        return self.{one} % 5 < other.{one} % 5"]
        task = self.top("task")
        lines += [f"def {task}(left, right):", f"    return (left.{one} > right.{one}) - (left.{one} < right.{one})"]
        body = [
            f"ranks = {self.numbers(env)}",
            f"cards = [{name}(rank) for rank in ranks]",
            f"print([card.{one} for card in sorted(cards)], min(cards).{one})",
        ]
        return lines, [*body, f"print([card.{one} for card in sorted(cards, key=functools.cmp_to_key({task}))])"]

    def scene_by_table(self, env):
        """Functions that a dictionary or a list hands out."""
        lines, (one, two), taken = self.callback(env)
        more, words, others = self.callback(env)
        body = [f"table = {{'a': {self.pick(taken)}, 'b': {self.pick(others)}}}"]
        body += [f"print(table['a']({self.number(env, 1)}), table['b']({self.number(env, 1)}))"]
        body += [
            f"print(table['a']({two}={self.number(env, 1)}, {one}={self.number(env, 1)}), table['b'](**{{'{words[0]}': 2}}))"
        ]
        return [*lines, *more], [*body, "print([call(3) for call in table.values()])"]
