"""What a program imports, runs, reads and loads from elsewhere."""

import ast
import textwrap

from pgolf.verify.code_uses import Index, uses


def test_uses_of_one_program():
    text = """
    import os, subprocess as sp, urllib.request, torch.nn.functional as F
    from huggingface_hub import snapshot_download as get
    import lrzip, sentencepiece
    from . import beside
    sp.run(["nvidia-smi"])
    sp.check_call([sys.executable, "-m", "pip", "install", "brotli"])
    os.system("apt-get install -y lrzip")
    sp.run(command)
    get("x/y")
    sentencepiece.SentencePieceProcessor(model_file="./tok/fineweb.model")
    open("data.bin", "rb"); open("out.bin", "wb"); open(name)
    """
    found = uses(Index(ast.parse(textwrap.dedent(text))))
    assert set(found.unknown) == {"huggingface_hub", "lrzip"}
    assert [use.what for use in found.programs] == ["nvidia-smi", "python", "apt-get", "?"]
    assert [use.what for use in found.unusual_programs] == ["python", "apt-get", "?"]
    assert {use.what.split()[0] for use in found.network} == {
        "import",
        "python",
        "apt-get",
        "huggingface_hub.snapshot_download",
    }
    assert [use.what for use in found.files] == ["./tok/fineweb.model", "data.bin"]
