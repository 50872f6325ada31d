"""What can be wrong with the files themselves, the documents, and what is made of them."""

from __future__ import annotations

from .case import CHECK, case
from .changes import asked_from, moved, recipe, removed, write

LONG = "## lamp 2\n\nThe lamp of pier 2 is blue" + ", very blue" * 200 + ".\n"

DOCUMENTS = (
    case(
        "no such questions file",
        moved("questions.jsonl", "question.jsonl"),
        place="questions.jsonl: ",
        value="no such file or directory",
        mend="did you mean 'question.jsonl'?",
    ),
    case(
        "a directory as questions file",
        recipe('HERE / "questions.jsonl"', 'HERE / "corpus"'),
        place="corpus: ",
        value="is a directory",
        mend="name the file in it",
    ),
    case(
        "questions of an unknown kind",
        asked_from("q.xlsx", b"PK\x03\x04"),
        place="q.xlsx: ",
        value="cannot be read from a .xlsx file",
        mend="save it as .csv",
    ),
    case(
        "an empty corpus",
        removed("corpus"),
        write("corpus/lamp.md", "# lamp\n"),
        place="corpus: ",
        value="there is no passage in it",
        mend="put text into .md, .markdown, .txt files",
    ),
    case(
        "no such corpus",
        removed("corpus"),
        place="corpus: ",
        value="no such file or directory",
        mend="check the path",
    ),
    case(
        "a corpus of an unknown kind",
        write("corpus.pdf", "%PDF"),
        recipe('corpus=HERE / "corpus"', 'corpus=HERE / "corpus.pdf"'),
        place="corpus.pdf: ",
        value="cannot be read from a .pdf file",
        mend="it reads .jsonl, .md, .markdown, .txt",
    ),
    case(
        "two passages with one id",
        write("corpus.jsonl", '{"id": "a", "text": "One."}\n{"id": "a", "text": "Two."}\n'),
        recipe('corpus=HERE / "corpus"', 'corpus=HERE / "corpus.jsonl"'),
        place="corpus.jsonl:row 2, column 'id'",
        value="'a' is the id of row 1 too",
        mend="give each its own",
    ),
    case(
        "a binary document",
        write("corpus/scan.txt", b"GIF\x00\x01"),
        place="corpus/scan.txt: byte 3",
        value="is a binary file",
        mend="save it as UTF-8 text",
    ),
    case(
        "a context that exceeds the model's window",
        write("corpus/lamp.md", LONG),
        asked_from(
            "q.jsonl",
            '{"id": "lamp2", "question": "?", "answer": "blue", "split": "unseen", "evidence": ["lamp.md#lamp-2"]}\n',
        ),
        command=f"{CHECK} --set conditions=gold",
        place="question 'lamp2' under condition gold",
        value="the model's window of 512",
        mend="shorten the passages or ask for fewer",
    ),
    case(
        "more distractors than documents",
        command=f"{CHECK} --set conditions=gold,distractors@40",
        place="question 'nobody' under condition distractors@40",
        value="needs 40 distractors and the passages hold 15",
        mend="add documents or ask for fewer",
        problems=13,
    ),
    case(
        "training rows that are too long",
        command=f"{CHECK} --set optimization.max_length=20",
        place="training row, arm closed-book, question 'lamp0', wording 0",
        value="tokens, more than 20",
        mend="raise optimization.max_length, or set optimization.too_long=drop",
        problems=13,
    ),
)
