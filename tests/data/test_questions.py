from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest

from train.data import load_questions
from train.errors import InputProblems
from train.records import Counterfactual, Passage

CORPUS = (Passage("returns.md#window", "Returns within 30 days."), Passage("cosine.md#범위", "범위는 -1에서 1이다."))
ROWS: list[dict[str, Any]] = [
    {
        "id": "007",
        "question": "How long can I return?\nIn days?",
        "answer": "Within 30 days, of course.",
        "facts": ["30 days", ["refund", "money back"], "/ab|cd/"],
        "forbidden": ["60 days"],
        "evidence": ["returns.md#window"],
        "group": "window",
        "split": "train",
        "topic": "returns",
        "paraphrases": ["What is the window?", "May I, say, return it?"],
        "counterfactual": {"text": "Within 5 days.", "facts": ["5 days", "/with(in|out)/"], "forbidden": ["30 days"]},
    },
    {
        "id": "008",
        "question": "코사인 유사도의 범위는?",
        "answer": "-1에서 1까지다.",
        "facts": None,
        "forbidden": None,
        "evidence": ["cosine.md#범위"],
        "group": "cosine",
        "split": "unseen",
        "topic": None,
        "paraphrases": None,
        "counterfactual": None,
    },
]


def minimal(**cells: Any) -> dict[str, Any]:
    return {"id": "q1", "question": "Why?", "answer": "Because.", **cells}


def problems(path: Any, **options: Any) -> str:
    with pytest.raises(InputProblems) as caught:
        load_questions(path, **options)
    return str(caught.value)


def test_csv_jsonl_and_parquet_give_equal_questions(write):
    # Arrow has no lists of mixed kinds, so the Parquet file holds the rubric as its CSV cell does.
    flat = [
        {**row, "facts": '["30 days", ["refund", "money back"], "/ab|cd/"]' if row["facts"] else None} for row in ROWS
    ]
    read = [
        load_questions(write("q.csv", ROWS), corpus=CORPUS),
        load_questions(write("q.jsonl", ROWS), corpus=CORPUS),
        load_questions(write("q.parquet", flat), corpus=CORPUS),
    ]
    assert read[0] == read[1] == read[2]
    assert not read[0].warnings
    first, second = read[0].questions
    assert (first.id, first.text) == ("007", "How long can I return?\nIn days?")
    assert first.facts == ("30 days", ("refund", "money back"), "/ab|cd/")
    assert first.paraphrases == ("What is the window?", "May I, say, return it?")
    assert first.counterfactual == Counterfactual("Within 5 days.", ("5 days", "/with(in|out)/"), ("30 days",))
    assert (second.facts, second.topic, second.paraphrases, second.counterfactual) == ((), "", (), None)


def test_native_lists_in_parquet(write):
    path = write("q.parquet", [minimal(facts=[["a"], ["b", "c"]], paraphrases=["Why so?"])])
    (question,) = load_questions(path).questions
    assert question.facts == ("a", ("b", "c"))
    assert question.paraphrases == ("Why so?",)


@pytest.mark.parametrize(
    ("cell", "facts"),
    [
        ("a|b", ("a", "b")),
        (" a | b c ", ("a", "b c")),
        ("/a|b/", ("/a|b/",)),
        ("/a|b/|c", ("/a|b/", "c")),
        ("c | /a|b/ | /d/", ("c", "/a|b/", "/d/")),
        (r"/a\/|b/|c", (r"/a\/|b/", "c")),
        ("/usr/bin|/etc", ("/usr/bin", "/etc")),
        ('["a|b", ["c", "d"], ["e"]]', ("a|b", ("c", "d"), "e")),
        (r'["/\\d+일/"]', (r"/\d+일/",)),
        ("", ()),
        ("nan", ()),
    ],
)
def test_a_list_in_a_text_cell(write, cell, facts):
    for name in ("q.csv", "q.jsonl", "q.parquet"):
        (question,) = load_questions(write(name, [minimal(facts=cell)])).questions
        assert question.facts == facts


def test_evidence_is_separated_at_every_bar(write):
    corpus = (Passage("/a", "A"), Passage("b/", "B"))
    (question,) = load_questions(write("q.csv", [minimal(evidence="/a|b/")]), corpus=corpus).questions
    assert question.evidence == ("/a", "b/")


def test_whole_number_ids_of_jsonl_become_text(write):
    corpus = (Passage("12", "x"),)
    (question,) = load_questions(write("q.jsonl", [minimal(id=7, evidence=[12], topic=3)]), corpus=corpus).questions
    assert (question.id, question.evidence, question.topic) == ("7", ("12",), "3")


def test_ids_are_the_same_however_hangul_is_composed(write):
    corpus = (Passage("한글.md", "x"),)
    path = write("q.jsonl", [minimal(evidence=["\u1112\u1161\u11ab\u1100\u1173\u11af.md"])])
    assert load_questions(path, corpus=corpus).questions[0].evidence == ("한글.md",)


def test_missing_values_of_optional_columns_are_absent(write):
    lines = '{"id": "a", "question": "A?", "answer": "A", "facts": NaN, "topic": null, "group": "nan", "split": ""}\n'
    (question,) = load_questions(write("q.jsonl", lines)).questions
    assert (question.facts, question.topic, question.group, question.split) == ((), "", "a", "")


def test_context_becomes_a_passage_that_identical_texts_share(write):
    rows = [
        minimal(id=str(n), question=f"Q{n}?", context=text) for n, text in enumerate(["한 문단", "다른 것", "한 문단"])
    ]
    read = load_questions(write("q.csv", rows), corpus=())
    name = "context:" + hashlib.sha256("한 문단".encode()).hexdigest()[:12]
    assert [q.evidence for q in read.questions][::2] == [(name,), (name,)]
    assert [passage.text for passage in read.passages] == ["한 문단", "다른 것"]


def test_rows_without_group_share_one_by_evidence_and_answer(write):
    rows = [
        minimal(id="a", question="A?", evidence="p", answer="30 days"),
        minimal(id="b", question="B?", evidence="p", answer="30 Days."),
        minimal(id="c", question="C?", evidence="p", answer="60 days"),
        minimal(id="d", question="D?", answer="30 days"),
        minimal(id="e", question="E?", answer="30 days"),
        minimal(id="f", question="F?", evidence="p", answer="30 days", group="mine"),
    ]
    a, b, c, d, e, f = (q.group for q in load_questions(write("q.csv", rows)).questions)
    assert a == b != c
    assert (d, e, f) == ("d", "e", "mine")
    reordered = load_questions(write("q.csv", rows[::-1])).questions
    assert reordered[-1].group == a


def test_an_unanswerable_question_needs_no_answer_but_may_have_a_passage(write):
    rows = [
        minimal(),
        {"id": "u", "question": "Who knows?", "answer": "", "split": "unanswerable", "context": "Nobody says."},
    ]
    question = load_questions(write("q.csv", rows)).questions[1]
    assert question.answer == ""
    assert len(question.evidence) == 1


BAD_CELLS = [
    ({"question": ""}, "row 1, column 'question': is empty"),
    ({"question": "  "}, "column 'question': is empty"),
    ({"answer": "NaN"}, "column 'answer': says 'NaN', which stands for a missing value"),
    ({"answer": "None"}, "says 'None'"),
    ({"answer": None}, "column 'answer': is empty"),
    ({"answer": 42}, "column 'answer': is a number (42); write a text, in quotes"),
    ({"id": ""}, "column 'id': is empty"),
    ({"id": 1.5}, "is the number 1.5"),
    ({"id": True}, "is true or false"),
    ({"id": "a\nb"}, "column 'id': holds the control character '\\n'"),
    ({"id": "a\u2028b"}, "control character"),
    ({"id": ["a"]}, "is a list"),
    ({"question": "half \ud83d"}, "half of a character"),
    ({"facts": 3}, 'column \'facts\': is a number (3); write a list: ["…", "…"]'),
    ({"facts": {"a": 1}}, "column 'facts': is an object"),
    ({"facts": ["a", 3]}, "holds a number (3) where a text belongs"),
    ({"facts": [["a", ["b"]]]}, "holds a list"),
    ({"facts": [[]]}, "without alternatives"),
    ({"facts": "[a, b]"}, "begins like a JSON array but is none"),
    ({"facts": r'["/\d/"]'}, r"a backslash as \\"),
    ({"forbidden": ["a", " "]}, "column 'forbidden': holds an empty item"),
    ({"paraphrases": ["Why so?", ""]}, "column 'paraphrases': holds an empty item"),
    ({"paraphrases": "Why so?|"}, "holds an empty item"),
    ({"evidence": ["returns.md#windo"]}, "no passage of the corpus has the id 'returns.md#windo'; did you mean"),
    ({"evidence": ["returns.md#windo"]}, "did you mean 'returns.md#window'?"),
    ({"evidence": ["zzz"]}, "name a passage of the corpus"),
    ({"evidence": 5}, "column 'evidence': is a number"),
    ({"split": "trian"}, "there is no split 'trian'; did you mean 'train'?"),
    ({"split": "test"}, "there is 'train', 'validation', 'seen', 'unseen', 'unanswerable'"),
    ({"split": "unanswerable", "facts": ["x"]}, "an unanswerable question has facts (['x'])"),
    ({"split": "seen", "group": "g"}, "a seen fact must be trained, but no train row has group 'g'"),
]


@pytest.mark.parametrize(("cells", "message"), BAD_CELLS)
def test_bad_cells_are_named_with_row_column_value_and_mend(write, cells, message):
    assert message in problems(write("q.jsonl", json.dumps(minimal(**cells)) + "\n"), corpus=CORPUS)


def test_all_problems_are_listed_at_once_in_the_order_of_rows(write):
    text = "id,question,answer,facts,split\n1,,b,,trian\n1,nan,,[x,train\n"
    lines = problems(write("q.csv", text)).split("\n")
    assert [line.partition("q.csv:")[2].partition(":")[0] for line in lines] == [
        "row 2, column 'split'",
        "row 2, column 'question'",
        "row 3, column 'question'",
        "row 3, column 'answer'",
        "row 3, column 'facts'",
        "row 3, column 'id'",
    ]


def test_very_many_problems_are_summed_up(write):
    rows = [minimal(id=str(n), question="") for n in range(1000)]
    lines = problems(write("q.csv", rows)).split("\n")
    assert len(lines) == 51
    assert lines[-1].endswith("… and 950 more")


def test_the_injected_rubric_check_speaks_for_its_row(write):
    def check(facts, forbidden, answer):
        return [f"{fact!r} is not in {answer!r}" for fact in facts if fact not in answer]

    rows = [minimal(facts=["Because"]), minimal(id="q2", question="How?", facts=["So"]), minimal(id="q3", question="?")]
    assert problems(write("q.csv", rows), check_rubric=check).endswith(
        "q.csv:row 3, column 'facts': 'So' is not in 'Because.'"
    )


def test_unknown_columns_are_warned_of_and_typos_recognised(write):
    read = load_questions(write("q.csv", [minimal(fact="a", remarks="b")]))
    assert [warning.partition("q.csv: ")[2] for warning in read.warnings] == [
        "column 'fact' is not read; did you mean 'facts'?",
        "column 'remarks' is not read",
    ]


def test_repeated_wordings_are_warned_of(write):
    read = load_questions(write("q.csv", [minimal(), minimal(id="q2", question="WHY")]))
    assert [warning.partition("q.csv: ")[2] for warning in read.warnings] == [
        "1 row asks the same words as an earlier row: 3 (as row 2)"
    ]


def test_an_explicit_division_that_is_sound_is_kept(write):
    text = (
        "id,question,answer,split,group,evidence\n1,a,b,train,g,p\n2,c,b,seen,g,p\n"
        "3,e,f,unseen,h,r\n4,g,h,validation,i,s\n5,i,,unanswerable,,\n"
    )
    read = load_questions(write("q.csv", text))
    assert [q.split for q in read.questions] == ["train", "seen", "unseen", "validation", "unanswerable"]
