"""Wrong use of the verbs: directories that are not ours, stages out of order, answers made elsewhere."""

from __future__ import annotations

from .case import case
from .changes import Change, write

COMPARE = "compare answers.csv --questions questions.jsonl"
HEADER = "arm,condition,question,sample,answer,verdict\n"


def answers(*rows: str) -> Change:
    return write("answers.csv", HEADER + "".join(f"{row}\n" for row in rows))


ONE = "base,none,lamp2,0,It is blue.,correct"
OTHER = write("run/manifest.json", '{"recipe": {"name": "other"}}')

COMMANDS = (
    case(
        "a run of another recipe",
        OTHER,
        command="run recipe.py --out run",
        place="project/run: ",
        value="holds a run of recipe 'other', not 'tiny'",
        mend="give another --out or remove it",
    ),
    case(
        "a directory of something else",
        command="run recipe.py --out corpus",
        place="project/corpus: ",
        value="is not empty and holds no run",
        mend="give another --out",
    ),
    case(
        "a file as run directory",
        command="run recipe.py --out questions.jsonl",
        place="--out questions.jsonl",
        value="is a file",
        mend="name a directory",
    ),
    case(
        "a run directory inside a file",
        command="run recipe.py --out questions.jsonl/run",
        place="questions.jsonl/run: ",
        value="cannot be made",
        mend="give another --out",
    ),
    case(
        "a damaged manifest",
        write("run/manifest.json", '{"recipe": '),
        command="run recipe.py --out run",
        place="project/run/manifest.json: ",
        value="is damaged",
        mend="remove the run directory",
    ),
    case(
        "sample before train",
        command="sample recipe.py",
        place="arm closed-book seed 0",
        value="is not trained",
        mend="run `openbook train` first",
    ),
    case(
        "grade before everything",
        command="grade recipe.py",
        place="runs/tiny: ",
        value="holds no run",
        mend="begin with `openbook run`",
    ),
    case(
        "report before everything",
        command="report recipe.py --out reports",
        place="project/reports: ",
        value="holds no run",
        mend="begin with `openbook run`",
    ),
    case(
        "verify what is no run",
        command="verify corpus",
        place="corpus: ",
        value="holds no run",
        mend="give a run directory",
    ),
    case(
        "verify what is not there",
        command="verify runs/tiny",
        place="runs/tiny: ",
        value="holds no run",
        mend="give a run directory",
    ),
    case(
        "verify an unfinished run",
        OTHER,
        command="verify run",
        place="project/run: ",
        value="holds no report yet",
        mend="finish it with `openbook run`",
    ),
    case(
        "an unknown verb",
        command="trian recipe.py",
        place="argument VERB",
        value="invalid choice: 'trian'",
        mend="did you mean 'train'?",
    ),
    case(
        "an unknown option",
        command="run recipe.py --dryrun",
        place="openbook: error: ",
        value="unrecognized arguments: --dryrun",
        mend="did you mean '--dry-run'?",
    ),
    case(
        "no recipe",
        command="run",
        place="openbook run: error: ",
        value="the following arguments are required: recipe",
        mend="usage: openbook run",
    ),
    case(
        "compare: a column is missing",
        write("answers.csv", "arm,condition,question,sample,text\nbase,none,lamp2,0,It is blue.\n"),
        command=COMPARE,
        place="answers.csv: ",
        value="column 'answer' is missing",
        mend="did you mean 'text'? rename it to 'answer'",
    ),
    case(
        "compare: an unknown question",
        answers(ONE, "base,none,lamp22,0,It is blue.,"),
        command=COMPARE,
        place="answers.csv:row 3, column 'question'",
        value="no question has the id 'lamp22'",
        mend="did you mean 'lamp2'?",
    ),
    case(
        "compare: an answer is there twice",
        answers(ONE, ONE),
        command=COMPARE,
        place="answers.csv:row 3",
        value="question 'lamp2', sample 0 is in row 2 too",
        mend="number the samples of a question 0, 1, 2",
    ),
    case(
        "compare: an unknown verdict",
        answers(ONE, "base,none,lamp2,1,It is blue.,corect"),
        command=COMPARE,
        place="answers.csv:row 3, column 'verdict'",
        value="there is no verdict 'corect'",
        mend="did you mean 'correct'?",
    ),
    case(
        "compare: a sample that is no number",
        answers("base,none,lamp2,first,It is blue.,"),
        command=COMPARE,
        place="answers.csv:row 2, column 'sample'",
        value="is not a whole number from 0 ('first')",
        mend="count from 0",
    ),
    case(
        "compare: no answers",
        answers(),
        command=COMPARE,
        place="answers.csv: ",
        value="has no answers",
        mend="write one row per answer",
    ),
    case(
        "compare: a contrast of a cell without answers",
        answers(ONE),
        command=f"{COMPARE} --contrast 'base/none vs base/gold'",
        place="--contrast",
        value="there are no answers of base/gold",
        mend="did you mean 'base/none'?",
    ),
    case(
        "compare: a contrast that is none",
        answers(ONE),
        command=f"{COMPARE} --contrast 'base against gold'",
        place="--contrast",
        value="'base against gold'",
        mend="write it as ARM/CONDITION vs ARM/CONDITION",
    ),
    case(
        "compare: no such answers",
        command=COMPARE,
        place="answers.csv: ",
        value="no such file or directory",
        mend="check the path",
    ),
    case(
        "compare: no questions named",
        answers(ONE),
        command="compare answers.csv",
        place="openbook compare: error: ",
        value="the following arguments are required: --questions",
        mend="usage: openbook compare",
    ),
    case(
        "compare: into a directory of something else",
        answers(ONE),
        command=f"{COMPARE} --out corpus",
        place="project/corpus: ",
        value="is not empty and holds no run",
        mend="give another --out",
    ),
)
