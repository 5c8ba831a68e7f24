"""Text with capitals, a tokenizer that knows the markers of `caseops`, and plugins whose transforms break a promise."""

import json
import textwrap

from sentencepiece import SentencePieceTrainer

from pgolf_plugins.data.caseops import CaseOps

TEXTS = [
    f"Document {n} of NASA and iPhone Users: {n * n} Éclairs, “MacDONALD”\nand 🙂 {n % 7} more." for n in range(400)
]
HEAD = '''
    """A transform for tests. Source: pgolf tests."""

    from pgolf import Component, Plugin, Setting, hookimpl

    PLUGIN = Plugin(
        name="NAME",
        summary="Test.",
        source="pgolf tests",
        family="data",
        settings=(Setting("NAME_shift", 1, "characters to shift by"),),
    )


    class Shift:
        symbols = ()

        def __init__(self, shift):
            self.shift = shift

        def encode(self, text):
            return "".join(chr(ord(character) + self.shift) for character in text)

        def decode(self, text):
            return "".join(chr(ord(character) - self.shift) for character in text)

        def byte_counts(self, text):
            return [len(character.encode()) for character in self.decode(text)]


    @hookimpl
    def text_transform(settings):
        return Component(Shift, shift=settings.NAME_shift)
'''


def write_corpus(path, texts):
    path.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts), encoding="utf-8")
    return path


def train_marked(root, texts=TEXTS, vocab_size=360):
    """A small model of transformed text with the four markers as user-defined symbols."""
    SentencePieceTrainer.train(
        sentence_iterator=map(CaseOps().encode, texts),
        model_prefix=str(root / "marked"),
        vocab_size=vocab_size,
        model_type="bpe",
        byte_fallback=True,
        add_dummy_prefix=False,
        user_defined_symbols=list(CaseOps.symbols),
        pad_id=0,
        bos_id=1,
        eos_id=2,
        unk_id=3,
        hard_vocab_limit=False,
        minloglevel=2,
    )
    return root / "marked.model"


def write_plugin(folder, name, *changes):
    """A plugin file with a shifting transform and textual changes (before, after)."""
    text = textwrap.dedent(HEAD).lstrip()
    for before, after in changes:
        assert before in text
        text = text.replace(before, after)
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.py").write_text(text.replace("NAME", name))
    return folder
