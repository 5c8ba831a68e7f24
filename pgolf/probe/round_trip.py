"""The probe of rule.lossless: does a tokenizer that is shipped give back what it took? It is loaded in the sandbox alone."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from pgolf.probe.trials import bounded
from pgolf.probe.verdicts import Verdict
from pgolf.probe.workshop import Execute

TEXTS = (
    "Plain words, with a comma.",
    "Two  spaces, a\ttab and\nanother line",
    "UPPER case and Title Case",
    "caf\u00e9 na\u00efve \u00fcber \u00d1and\u00fa",
    "e\u0301 is two characters, \ufb01 one, \uff21 wide",
    "\u6f22\u5b57 and \u20ac and \U0001f600",
    "trailing space ",
    "zero\u200bwidth\u00a0and non-breaking",
)
PROGRAM = """
import json, sys
import sentencepiece
model = sentencepiece.SentencePieceProcessor(model_file=sys.argv[1])
texts = json.load(open(sys.argv[2]))
print(json.dumps([model.decode(model.encode(text)) for text in texts]), file=open(sys.argv[3], "w"))
"""


def round_trip_verdict(models: Mapping[str, bytes], work: Path, execute: Execute) -> Verdict:
    """Of all tokenizers beside a script."""
    if not models:
        return Verdict(
            "rule.lossless", "SKIP", "no tokenizer is shipped; give --tokenizer to look at one", "round-trip"
        )
    for number, (name, data) in enumerate(models.items()):
        folder = work / f"tokenizer{number}"
        folder.mkdir(parents=True)
        (folder / "it.model").write_bytes(data)
        (folder / "texts.json").write_text(json.dumps(TEXTS))
        paths = [str(folder / part) for part in ("it.model", "texts.json", "decoded.json")]
        excess = execute(["-I", "-c", PROGRAM, *paths], folder, 60.0, ())
        try:
            decoded = json.loads(bounded(folder / "decoded.json", 2**20))
        except ValueError:
            why = excess or "SentencePiece does not load it"
            return Verdict("rule.lossless", "SKIP", f"{name} cannot be tried: {why}", "round-trip")
        bad = [at for at, text in enumerate(TEXTS) if not isinstance(decoded, list) or decoded[at : at + 1] != [text]]
        if bad:
            seen = decoded[bad[0]] if isinstance(decoded, list) and bad[0] < len(decoded) else ""
            text = f"{name} gives {str(seen)[:60]!a} for {TEXTS[bad[0]]!a}"
            return Verdict("rule.lossless", "WARN", text, "round-trip", ({"position": bad[0], "what": "text"},))
    return Verdict("rule.lossless", "PASS", f"{len(TEXTS)} texts come back as they were", "round-trip")
