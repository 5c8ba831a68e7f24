"""What one forward carries: a record, and counting that is traced away without a ledger."""

import pytest

from pgolf.runtime.context import Context
from pgolf.runtime.ledger import Ledger


def test_uses_are_counted_where_a_ledger_listens():
    ledger = Ledger()
    ctx = Context(None, (), True, {}, {}, {}, None, None, ledger)
    ctx.fired("xsa", "layers")
    ctx.fired("xsa", "layers", 3)
    assert ledger.receipt("xsa") == "4 layers"
    ctx._replace(ledger=None).fired("xsa", "layers")
    assert ledger.receipt("xsa") == "4 layers"


def test_a_forward_cannot_change_what_it_was_given():
    ctx = Context(None, ("loop",), True, {}, {}, {}, None, None, None)
    with pytest.raises(AttributeError):
        ctx.phases = ()
    assert ctx._replace(training=False).phases == ("loop",) and ctx.training


def test_the_memo_is_the_forwards_own():
    one, two = (Context(None, (), True, {}, {}, {}, None, None, None) for _ in range(2))
    one.memo["rope"] = 1
    assert two.memo == {}
