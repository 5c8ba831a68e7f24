"""Documentation is read from source files, whatever state they are in."""

from pgolf.data.corpus import LONGEST, SHORTEST, collect_documents, standard_library

WORDS = "This module opens, reads and closes files of several kinds. " * 5


def write(folder, name, text):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def test_module_classes_and_functions_become_documents(tmp_path):
    write(
        tmp_path,
        "a.py",
        f'"""Module. {WORDS}"""\nclass A:\n  """Class. {WORDS}"""\n  def m(self):\n    """Method."""\n',
    )
    write(tmp_path, "b.py", f'def f():\n  """Function. {WORDS}"""\nasync def g():\n  """Short."""\n')
    module, class_, functions = collect_documents(tmp_path)
    assert module.startswith("Module. ")
    assert class_.startswith("A: Class. ")
    assert class_.endswith("m: Method.")
    assert functions.startswith("f: Function. ")
    assert functions.endswith("g: Short.")


def test_help_topics_are_documents(tmp_path):
    write(tmp_path, "pydoc_data/topics.py", f"topics = {{'a': 'First. {WORDS}', 'b': 'Second. {WORDS}'}}\n")
    assert [text.split()[0] for text in collect_documents(tmp_path)] == ["First.", "Second."]


def test_a_passage_is_taken_once_whatever_its_case_and_spacing(tmp_path):
    write(tmp_path, "a.py", f'"""{WORDS}"""\n')
    write(tmp_path, "b.py", f'"""  {WORDS.upper()}\n\n"""\n')
    assert len(collect_documents(tmp_path)) == 1


def test_files_that_cannot_be_parsed_and_other_folders_are_passed_over(tmp_path):
    write(tmp_path, "broken.py", f'"""{WORDS}"""\ndef (:\n')
    write(tmp_path, "escape.py", f'"""Bad \\d escape. {WORDS}"""\n')
    write(tmp_path, "site-packages/x.py", f'"""Other people\'s. {WORDS}"""\n')
    write(tmp_path, "test/x.py", f'"""Tests. {WORDS}"""\n')
    (tmp_path / "latin.py").write_bytes(b'"""\xff"""')
    (document,) = collect_documents(tmp_path)
    assert document.startswith("Bad \\d escape.")


def test_sizes_stay_in_bounds(tmp_path):
    paragraphs = "\n\n".join(f"Paragraph {index}. {WORDS}" for index in range(60))
    write(tmp_path, "a.py", f'"""{paragraphs}"""\n')
    write(tmp_path, "b.py", '"""Too short."""\n')
    documents = collect_documents(tmp_path)
    assert len(documents) > 2
    assert all(SHORTEST <= len(document) <= LONGEST for document in documents)


def test_a_folder_without_documentation_gives_nothing(tmp_path):
    assert collect_documents(tmp_path) == []


def test_the_running_python_has_its_library():
    assert (standard_library() / "ast.py").is_file()
