"""Programs that print something else where a proof of `constants` is left out, by what they are about."""

TEXT = r"""
#: two values
def f(x): return x
def main(): print(f(1), f(2))

#: one and True
def f(x): return x
def main(): print(f(1), f(True), f(1.0))

#: minus zero
def f(x): return x
def main(): print(f(0.0), f(-0.0))

#: default and argument
def f(x=1): return x
def main(): print(f(), f(2))

#: stars
def f(x, y=1): return x, y
def main(): print(f(1, 1), f(*[2, 3]), f(**{'x': 4}))

#: map
def f(x): return x
def main(): print(f(1), list(map(f, [2, 3])))

#: key
def f(x): return -x
def main(): print(f(1), sorted([2, 3], key=f))

#: partial
from functools import partial
def f(x, y): return x, y
def main(): print(f(1, 2), partial(f, y=3)(1))

#: bound again
def f(x):
    for x in (1, 2): pass
    return x
def main(): print(f(7))

#: added to
def f(x):
    x += 1
    return x
def main(): print(f(7))

#: walrus
def f(x): return (x := x + 1), x
def main(): print(f(7))

#: closure
def f(x):
    def g():
        nonlocal x
        x += 1
        return x
    return g(), g(), x
def main(): print(f(1))

#: global
N = 1
def g():
    global N
    N = 2
def main():
    print(N)
    g()
    print(N)

#: global list
from typing import NamedTuple
class R(NamedTuple):
    rate_of: float
    name: str
KEPT = None
def bind(xs):
    global KEPT
    KEPT = [x for x in xs]
def main():
    bind([R(0.5, 'a'), R(0.25, 'b')])
    print([r.rate_of for r in KEPT])

#: stored elsewhere
class A:
    def __init__(self): self.size_of = 1
    def get_it(self): return self.size_of
def change(x): x.size_of = 2
def main():
    a = A()
    print(a.get_it())
    change(a)
    print(a.get_it())

#: stored by name
class A:
    def __init__(self): self.size_of = 1
    def get_it(self): return self.size_of
def main():
    a = A()
    setattr(a, 'size_of', 2)
    print(a.get_it())

#: added to attribute
class A:
    def __init__(self): self.size_of = 1
    def more(self): self.size_of += 1
def main():
    a = A()
    a.more()
    print(a.size_of)

#: loop target attribute
class A:
    def __init__(self): self.size_of = 1
def main():
    a = A()
    for a.size_of in (2, 3): pass
    print(a.size_of)

#: hidden method
class A:
    def get_it(self): return 1
    def __init__(self): self.other = 3
    def put(self): self.get_it = lambda: 2
def main():
    a = A()
    a.put()
    print(a.get_it())

#: subclass
class A:
    size_of = 1
    def get_it(self): return self.size_of
class B(A):
    size_of = 2
def main(): print(A().get_it(), B().get_it())

#: overridden
class A:
    def part_of(self): return 1
    def get_it(self): return self.part_of()
class B(A):
    def part_of(self): return 2
def main(): print(A().get_it(), B().get_it())

#: super
class A:
    def __init__(self, n): self.n_of = n
class B(A):
    def __init__(self):
        super().__init__(2)
def main(): print(A(1).n_of, B().n_of)

#: type
class A:
    def __init__(self, n): self.n_of = n
def main():
    a = A(1)
    print(a.n_of, type(a)(2).n_of)

#: class as value
class A:
    def __init__(self, n): self.n_of = n
def main():
    make = A
    print(A(1).n_of, make(2).n_of)

#: class in a list
class A:
    def __init__(self, n): self.n_of = n
def main():
    print(A(1).n_of, [k(2).n_of for k in [A]])

#: classmethod
class A:
    def __init__(self, n): self.n_of = n
    @classmethod
    def made(cls): return cls(2)
def main(): print(A(1).n_of, A.made().n_of)

#: method of class
class A:
    def __init__(self, n): self.n_of = n
    def get_it(self): return self.n_of
class C:
    def __init__(self, n): self.n_of = n
def main(): print(A.get_it(C(2)), A(1).get_it())

#: staticmethod
class A:
    @staticmethod
    def get_it(x, y): return x, y
def main(): print(A().get_it(1, 2), A().get_it(3, 4))

#: property
class A:
    def __init__(self): self.count_of = 0
    @property
    def next_of(self):
        self.count_of += 1
        return self.count_of
def main():
    a = A()
    print(a.next_of, a.next_of)

#: replace
from typing import NamedTuple
class Spec(NamedTuple):
    title: str
    kind_of: str = 'plain'
    members_of: tuple = ()
def make(): return [Spec('a'), Spec('b', kind_of='plain')]
def main():
    spec = make()[0]
    print(spec.kind_of, spec._replace(kind_of='other').kind_of)

#: replace unknown
from typing import NamedTuple
class Spec(NamedTuple):
    title: str
    kind_of: str = 'plain'
    members_of: tuple = ()
def make(): return [Spec('a'), Spec('b', kind_of='plain')]
def f(x): return x._replace(kind_of='other')
def main():
    print([spec.kind_of for spec in map(f, make())])

#: make
from typing import NamedTuple
class Spec(NamedTuple):
    title: str
    kind_of: str = 'plain'
    members_of: tuple = ()
def make(): return [Spec('a'), Spec('b', kind_of='plain')]
def main(): print(Spec._make(['a', 'other', (1,)]).kind_of, make()[0].kind_of)

#: made by stars
from typing import NamedTuple
class Spec(NamedTuple):
    title: str
    kind_of: str = 'plain'
    members_of: tuple = ()
def make(): return [Spec('a'), Spec('b', kind_of='plain')]
def main(): print(Spec(*['a', 'other', (1,)]).kind_of, make()[0].kind_of)

#: printed
from typing import NamedTuple
class Spec(NamedTuple):
    title: str
    kind_of: str = 'plain'
    members_of: tuple = ()
def make(): return [Spec('a'), Spec('b', kind_of='plain')]
def main(): print(make())

#: unpacked
from typing import NamedTuple
class Spec(NamedTuple):
    title: str
    kind_of: str = 'plain'
    members_of: tuple = ()
def make(): return [Spec('a'), Spec('b', kind_of='plain')]
def main():
    for title, kind, members in make():
        print(title, kind, members)

#: enumerated
from typing import NamedTuple
class Spec(NamedTuple):
    title: str
    kind_of: str = 'plain'
    members_of: tuple = ()
def make(): return [Spec('a'), Spec('b', kind_of='plain')]
def main():
    for place, (title, kind, members) in enumerate(make()):
        print(title, kind)

#: indexed
from typing import NamedTuple
class Spec(NamedTuple):
    title: str
    kind_of: str = 'plain'
    members_of: tuple = ()
def make(): return [Spec('a'), Spec('b', kind_of='plain')]
def main(): print(make()[0][1], len(make()[0]))

#: iterated
from typing import NamedTuple
class Spec(NamedTuple):
    title: str
    kind_of: str = 'plain'
    members_of: tuple = ()
def make(): return [Spec('a'), Spec('b', kind_of='plain')]
def main(): print([x for spec in make() for x in spec])

#: compared
from typing import NamedTuple
class Spec(NamedTuple):
    title: str
    kind_of: str = 'plain'
    members_of: tuple = ()
def make(): return [Spec('a'), Spec('b', kind_of='plain')]
def main(): print(make()[0] == ('a', 'plain', ()), ('a', 'plain', ()) in make())

#: sorted
from typing import NamedTuple
class R(NamedTuple):
    a_of: int
    b_of: int
def main():
    print([r.b_of for r in sorted([R(2, 1), R(1, 2)])])

#: sorted by field
from typing import NamedTuple
class R(NamedTuple):
    a_of: int
    b_of: int
def key(r): return r.a_of
def main():
    print([r.b_of for r in sorted([R(2, 1), R(1, 2)], key=key)])

#: as a dict
from typing import NamedTuple
class Spec(NamedTuple):
    title: str
    kind_of: str = 'plain'
    members_of: tuple = ()
def make(): return [Spec('a'), Spec('b', kind_of='plain')]
def main(): print(make()[0]._asdict())

#: key of a dict
from typing import NamedTuple
class Spec(NamedTuple):
    title: str
    kind_of: str = 'plain'
    members_of: tuple = ()
def make(): return [Spec('a'), Spec('b', kind_of='plain')]
def main():
    found = {}
    for spec in make():
        found[spec] = 1
    print(len(found), ('a', 'plain', ()) in found)

#: in an f-string
from typing import NamedTuple
class Spec(NamedTuple):
    title: str
    kind_of: str = 'plain'
    members_of: tuple = ()
def make(): return [Spec('a'), Spec('b', kind_of='plain')]
def main(): print(f'{make()[0]}')

#: stars of a record
from typing import NamedTuple
class Spec(NamedTuple):
    title: str
    kind_of: str = 'plain'
    members_of: tuple = ()
def make(): return [Spec('a'), Spec('b', kind_of='plain')]
def main(): print(*make()[0])

#: called field
from typing import NamedTuple
class R(NamedTuple):
    init: object
    n_of: int
def f(x): return x
def main():
    for r in [R(f, 1), R(f, 2)]:
        print(r.init(r.n_of))

#: list changed by alias
class A:
    def __init__(self): self.lines_of = []
def add(xs): xs.append(2)
def main():
    a = A()
    a.lines_of.append(1)
    add(a.lines_of)
    for x in a.lines_of:
        print(x)

#: list changed from outside
def main():
    xs = [1]
    for put in [xs.append, xs.insert]:
        put(*([0, 5] if put == xs.insert else [7]))
    for x in xs:
        print(x)

#: list in two hands
def pick(a, b): return a if len(a) else b
def main():
    a, b = [], []
    c = pick(a, b)
    c.append(3)
    b.append(1)
    for x in b:
        print(x)

#: list through a dict
def main():
    xs = []
    held = {'a': xs}
    held['a'].append(4)
    xs.append(5)
    for x in xs:
        print(x)

#: list item
def main():
    xs = [1, 1]
    xs[0] = 2
    for x in xs:
        print(x)

#: tuple item
def main():
    xs = (1, 2)
    for place in (0, 1):
        print(xs[place])

#: generator
def g(x):
    yield x
    yield 2
def main(): print(list(g(1)))

#: generator once
def main():
    xs = (x for x in [1, 2])
    print(list(xs), list(xs))

#: conditional result
def f(x):
    if x:
        return 1
def main(): print(f([]), f([2]))

#: effects in the function
def f(x):
    print(x)
    return 1
def main(): print(f([1]))

#: effects in the argument
def f(x): return 1
def g():
    print('g')
def main(): print(f(g()))

#: effects in an idle argument
def f(x): pass
def g():
    print('g')
def main():
    f(g())
    print(1)

#: effects in a field
from typing import NamedTuple
class R(NamedTuple):
    a_of: int
    b_of: object
def main():
    for r in [R(1, print('x'))]:
        print(r.a_of)

#: effects before an attribute
class A:
    def __init__(self): self.size_of = 1
def made():
    print('made')
    return A()
def main(): print(made().size_of)

#: is
def f(x, y): return x is y
def main():
    a = 100000
    b = (1, 2)
    print(f(a, a), b is b)

#: unbound
def main():
    try:
        print(x)
    except UnboundLocalError:
        print('unbound')
    x = 1
    print(x)

#: deleted
def main():
    x = 1
    print(x)
    del x
    try:
        print(x)
    except NameError:
        print('deleted')

#: branch
def f(y):
    if y:
        x = 1
    try:
        return x
    except NameError:
        return 'unbound'
def main(): print(f([]), f([1]))

#: shadowed builtin
def len(x): return 7
def main(): print(len(()))

#: shadowed by variable
def f(max): return max(1, 2)
def main(): print(f(print), f(min))

#: one of two methods
class A:
    def run_it(self, x): return x
class B:
    def run_it(self, x): return -x
def main():
    print([k.run_it(n) for k in (A(), B()) for n in (1, 2)])

#: other parameter names
class A:
    def run_it(self, x, y=1): return x, y
class B:
    def run_it(self, y, x=1): return x, y
def main():
    for k in (A(), B()):
        print(k.run_it(x=5, y=6))

#: keywords
def f(**k): return k
def main(): print(f(a=1), f(b=2))

#: extra
def f(x, *rest): return x, rest
def main(): print(f(1, 2), f(1, 3))

#: position only
def f(a, /, **k): return a, k
def main(): print(f(1, a=2))

#: decorated
import functools
def twice(f): return lambda x: f(x + 1)
@twice
def g(x): return x
def main(): print(g(1))

#: lambda
ADD = lambda x, y: x + y
def main(): print(ADD(1, 2), ADD(3, 4))

#: nested
def main():
    def f(x): return x
    print(f(1), f(2))

#: comprehension variable
def main():
    x = 5
    print([x for x in (1, 2)], x)

#: match
def f(x):
    match x:
        case (a, b): return a, b
        case a: return a
def main(): print(f((1, 2)), f(3))

#: match a record
from typing import NamedTuple
class Spec(NamedTuple):
    title: str
    kind_of: str = 'plain'
    members_of: tuple = ()
def make(): return [Spec('a'), Spec('b', kind_of='plain')]
def main():
    match make()[0]:
        case Spec(title=t, kind_of=k): print(t, k)

#: exception
def main():
    e = 1
    try:
        print(e)
        raise ValueError('v')
    except ValueError as e:
        print(e)

#: with
import io
def main():
    x = None
    print(x)
    with io.StringIO('a') as x:
        print(x.read())

#: import
def main():
    import math as m
    print(m.floor(2.5))

#: dunder
class A:
    def __len__(self): return 3
    def __getitem__(self, x): return x
def main():
    a = A()
    print(len(a), a[1], a[2])

#: operator
class A:
    def __add__(self, x): return x
def main(): print(A() + 1, A() + 2)

#: iterated object
class A:
    def __iter__(self): return iter([1, 2])
def main(): print([x for x in A()])

#: context
class A:
    def __enter__(self): return 4
    def __exit__(self, *x): return None
def main():
    with A() as x:
        print(x)

#: chained
def main():
    a = b = 1
    b = 2
    print(a, b)

#: swap
def main():
    a, b = 1, 2
    a, b = b, a
    print(a, b)

#: starred
def main():
    a, *b = 1, 2, 3
    print(a, b)

#: string unpacked
def main():
    a, b = 'xy'
    print(a, b)

#: while
def main():
    n = 0
    while n < 3:
        n = n + 1
    print(n)

#: fields read by unknown
from typing import NamedTuple
class Spec(NamedTuple):
    title: str
    kind_of: str = 'plain'
    members_of: tuple = ()
def make(): return [Spec('a'), Spec('b', kind_of='plain')]
def show(x): return x.title
def main(): print(list(map(show, make())))

#: attribute by unknown
class A:
    def __init__(self, n): self.size = n
def show(x): return x.size
def main(): print(list(map(show, [A(1), A(2)])))

#: object in a list of outside
import collections
class A:
    def __init__(self): self.size = 1
def main():
    d = collections.deque([A()])
    for x in d:
        x.size = 2
    print([x.size for x in d])

#: kept object changed
class A:
    def __init__(self): self.size = 1
def main():
    a = A()
    for x in map(lambda y: y, [a]):
        x.size = 2
    print(a.size)

#: class attribute function
def f(*x): return len(x)
class A:
    call_it = f
def main():
    a = A()
    print(a.call_it(1), f(1))

#: default of the base
from dataclasses import dataclass, replace
@dataclass(frozen=True)
class R:
    a_of: int = 1
def main():
    r = R()
    print(r.a_of, replace(r, a_of=2).a_of)

#: none or object
class A:
    def get_it(self): return 1
def f(x): return x.get_it() if x is not None else 2
def main(): print(f(A()), f(None))

#: re compile
import re
def main(): print(re.compile('a').match('a') is not None)

#: docstring
def f():
    x = 'text'
    return x
def main(): print(f(), f.__doc__)

#: long text in a format
def main():
    width = 'a"b\'c'
    print(f'{width!r:>12}|{width}|{3:{len(width)}}')

#: identity of a global
KEPT = (1, 2)
def f(x): return x is KEPT
def g(x): return x
def main(): print(f(KEPT), f(g(KEPT)), f((1, 2)))

#: identity by id
KEPT = (1, 2)
def f(x): return id(x) == id(KEPT)
def main(): print(f(KEPT))

#: shadowed builtin of a constant
EMPTY = ()
def len(x): return [x, 7]
def main(): print(len(EMPTY))

#: generator of nothing
OFF = False
def main(): print(next((x for x in [1] if OFF), 'none'))

#: iterator that is used up
OFF = False
def main():
    xs = iter([1, 2])
    print([x for x in xs if OFF], list(xs))

#: result that may be missing
def f(x):
    if x:
        return 1
def main():
    a = f([])
    print(a)

#: bound by a definition
def main():
    f = 1
    print(f)
    def f(): return 2
    print(callable(f))

#: bound by an import
def main():
    m = 1
    print(m)
    import math as m
    print(str(m)[:7])

#: classmethod of an object
class A:
    def __init__(self, n): self.n_of = n
    @classmethod
    def made(cls): return cls(2)
def main():
    a = A(1)
    print(a.n_of, a.made().n_of)

#: hands back something else
def other(a, b): return b
def pick(x):
    x = other
    return x
def f(a, b): return a
def main(): print(pick(f)([1], 2), f([1], 2))

#: hands back one or the other
def g(a, b): return [a, b]
def pick(x, y):
    if y:
        return x
    return g
def f(a, b): return a
def main(): print(pick(f, [])([1], 2), pick(f, [1])([1], 2))

#: hands back nothing
def pick(x):
    while x:
        return x
def main():
    a = pick(0)
    print(a)

#: unpacked by another number
def main():
    for pair in [(1, 2), (3,)]:
        try:
            a, b = pair
            print(a, b)
        except ValueError:
            print('no')

"""
PROGRAMS = {name: code for part in TEXT.split("#: ")[1:] for name, _, code in [part.partition("\n")]}
