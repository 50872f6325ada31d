from __future__ import annotations

import os
import unicodedata

import pytest

from train.data import load_corpus
from train.data.markdown import slug
from train.errors import InputProblems, UserError

DOCUMENT = """\
Words before.

# The *Guide*

## Empty

## Set `up`

```sh
# a comment, no heading
## nor this
```

> # quoted
> no section of its own

- # listed

Second level
------------
Setext, with [a link](x.md).

##### 코사인 유사도, 그리고 범위 #####
-1에서 1까지다.

    # indented code

## Set up
Again.
<!-- # hidden -->

## Only a comment

<!-- nothing
# here -->
"""


def ids(path):
    return [passage.id for passage in load_corpus(path).passages]


def test_every_section_with_text_is_a_passage(write, tmp_path):
    write("docs/guide.md", DOCUMENT)
    passages = load_corpus(tmp_path / "docs").passages
    assert [passage.id for passage in passages] == [
        "guide.md",
        "guide.md#set-up",
        "guide.md#second-level",
        "guide.md#코사인-유사도-그리고-범위",
        "guide.md#set-up-2",
    ]
    texts = {passage.id.partition("#")[2]: passage.text for passage in passages}
    assert texts[""] == "Words before."
    assert texts["set-up"].startswith("Set up\n```sh\n# a comment, no heading\n## nor this\n```\n\n> # quoted")
    assert texts["set-up"].endswith("- # listed")
    assert texts["second-level"] == "Second level\nSetext, with [a link](x.md)."
    assert texts["코사인-유사도-그리고-범위"] == "코사인 유사도, 그리고 범위\n-1에서 1까지다.\n\n    # indented code"
    assert passages[0].metadata == {"title": "guide", "heading": ""}
    assert passages[2].metadata == {"title": "The Guide", "heading": "Second level"}
    assert {passage.source for passage in passages} == {"guide.md"}


def test_no_words_of_a_document_are_lost_or_doubled(write, tmp_path):
    write("docs/guide.md", DOCUMENT)
    text = "\n".join(passage.text for passage in load_corpus(tmp_path / "docs").passages)
    for line in (
        "Words before.",
        "# a comment, no heading",
        "-1에서 1까지다.",
        "Again.",
        "Setext, with [a link](x.md).",
    ):
        assert text.count(line) == 1


@pytest.mark.parametrize(
    ("heading", "expected"),
    [
        ("Return policy", "return-policy"),
        ("C++ & Rust: 2 ways", "c-rust-2-ways"),
        ("코사인 유사도란?", "코사인-유사도란"),
        ("Ｆｕｌｌ　ｗｉｄｔｈ ①", "full-width-1"),
        (unicodedata.normalize("NFD", "한글"), "한글"),
        ("हिन्दी में", "हिन्दी-में"),
        ("--- !", ""),
    ],
)
def test_slugs(heading, expected):
    assert slug(heading) == expected


def test_a_heading_without_letters_still_names_its_section(write):
    path = write("a.md", "# !!!\nfirst\n# ???\nsecond\n#\nthird\n# section 2\nfourth\n")
    assert ids(path) == ["a.md#section", "a.md#section-2", "a.md#section-3", "a.md#section-2-2"]
    assert load_corpus(path).passages[2].text == "third"


@pytest.mark.parametrize(
    ("text", "metadata", "body"),
    [
        ("---\ntitle: 'The title'\ntags:\n  - x\n---\nBody", {"title": "The title", "heading": ""}, "Body"),
        ("---\nlang: ko\n...\nBody", {"lang": "ko", "title": "a", "heading": ""}, "Body"),
        (
            "---\nProse between rules.\n\n---\nBody",
            {"title": "a", "heading": ""},
            "---\nProse between rules.\n\n---\nBody",
        ),
        ("---\nno end: x\n", {"title": "a", "heading": ""}, "---\nno end: x"),
    ],
)
def test_front_matter_goes_into_the_metadata(write, text, metadata, body):
    (passage,) = load_corpus(write("a.md", text)).passages
    assert (passage.metadata, passage.text) == (metadata, body)


def test_a_folder_is_read_in_the_order_of_paths(write, tmp_path):
    write("docs/b/한글.txt", "텍스트\r\n둘째 줄\r\n", "cp949")
    write("docs/b.markdown", b"\xef\xbb\xbf# B\ntext")
    write("docs/a/z.MD", "z")
    write("docs/.hidden/x.md", "hidden")
    write("docs/.x.md", "hidden")
    write("docs/empty.md", " \n")
    write("docs/only-headings.md", "# A\n## B\n")
    write("docs/picture.png", b"\x89PNG\0")
    corpus = load_corpus(tmp_path / "docs")
    assert [passage.id for passage in corpus.passages] == ["a/z.MD", "b.markdown#b", "b/한글.txt"]
    assert corpus.passages[2].text == "텍스트\n둘째 줄"
    assert [("CP949" in warning, ".png" in warning) for warning in corpus.warnings] == [(False, True), (True, False)]


def test_links_that_go_round_do_not_hang(write, tmp_path):
    write("docs/real/a.md", "a")
    (tmp_path / "docs/real/up").symlink_to(tmp_path / "docs", target_is_directory=True)
    (tmp_path / "docs/another").symlink_to(tmp_path / "docs/real", target_is_directory=True)
    assert ids(tmp_path / "docs") == ["real/a.md"]


def test_file_names_are_the_same_however_hangul_is_composed(write, tmp_path):
    write(f"docs/{unicodedata.normalize('NFD', '한글')}.md", "x")
    assert ids(tmp_path / "docs") == ["한글.md"]


def test_jsonl(write):
    path = write(
        "corpus.jsonl",
        [{"id": 1, "text": "one", "url": "u", "metadata": {"title": "T"}}, {"id": "b", "text": "two", "source": "s"}],
    )
    one, two = load_corpus(path).passages
    assert (one.id, one.text, one.source, one.metadata) == ("1", "one", "", {"url": "u", "title": "T"})
    assert (two.id, two.source, two.metadata) == ("b", "s", {})


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('{"id": "a", "text": "x"}\n{"id": "a", "text": "y"}\n', "row 2, column 'id': 'a' is the id of row 1 too"),
        ('{"id": "a", "text": " "}\n', "row 1, column 'text': is empty"),
        ('{"id": "a", "text": "x"}\n{"id": "b"}\n', "row 2, column 'text': is missing"),
        ('{"id": "a", "txt": "x"}\n', "column 'text' is missing; did you mean 'txt'?"),
        ('{"id": "a", "text": "x", "metadata": 3}\n', "column 'metadata': is no object (3)"),
        ('{"id": "a\\n", "text": ["x"]}\n', "column 'text': is a list"),
        ("{}\n", "column 'id' is missing"),
        ("", "there is no passage in it"),
        ("x\n", "row 1: is not JSON"),
    ],
)
def test_bad_jsonl(write, content, message):
    with pytest.raises(InputProblems) as caught:
        load_corpus(write("corpus.jsonl", content))
    assert f"corpus.jsonl:{message}" in str(caught.value) or message in str(caught.value)


def test_a_corpus_without_text_is_an_error(write, tmp_path):
    write("docs/a.md", "# Only a heading\n")
    with pytest.raises(UserError, match="there is no passage in it"):
        load_corpus(tmp_path / "docs")


def test_files_that_cannot_be_read_are_named(write, tmp_path):
    write("docs/a.md", "fine")
    bad = write("docs/b.txt", b"\x00\x01\x02")
    with pytest.raises(UserError, match=r"b\.txt: byte 0: is a binary file"):
        load_corpus(tmp_path / "docs")
    bad.unlink()
    bad.symlink_to(tmp_path / "nowhere")
    with pytest.raises(UserError, match=r"b\.txt: no such file"):
        load_corpus(tmp_path / "docs")
    bad.unlink()
    os.mkfifo(bad)
    with pytest.raises(UserError, match=r"b\.txt: is not a regular file"):
        load_corpus(tmp_path / "docs")
    with pytest.raises(UserError, match="did you mean 'docs'"):
        load_corpus(tmp_path / "doc")
    with pytest.raises(UserError, match=r"a corpus cannot be read from a \.pdf file"):
        load_corpus(write("x.pdf", b"%PDF"))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_named(write, tmp_path):
    write("docs/a.md", "secret").chmod(0)
    with pytest.raises(UserError, match=r"a\.md: may not be read"):
        load_corpus(tmp_path / "docs")


def test_a_file_name_with_a_line_break_is_an_error(write, tmp_path):
    write("docs/a\nb.md", "x")
    with pytest.raises(UserError, match="rename the file"):
        load_corpus(tmp_path / "docs")


def test_passages_with_the_same_text_are_named(write, tmp_path):
    write("docs/a.md", "# Lamp\nIt is red.\n")
    write("docs/b.md", "# Lamp\nIt  is\nred.\n")
    write("docs/d.txt", "blue")
    write("docs/e.txt", "blue\n")
    (warning,) = load_corpus(tmp_path / "docs").warnings
    assert (
        "2 text(s) are there more than once: 'a.md#lamp' = 'b.md#lamp', 'd.txt' = 'e.txt'; keep one of each" in warning
    )
    rows = [{"id": id, "text": "same" if id < "c" else id} for id in "abcd"]
    (warning,) = load_corpus(write("corpus.jsonl", rows)).warnings
    assert "1 text(s) are there more than once: 'a' = 'b';" in warning
