"""What can be wrong with where the questions come from: a directory, the hub, columns with other names."""

from __future__ import annotations

from .case import CHECK, case
from .changes import asked_from, recipe, write

SOURCES = (
    case(
        "a column of ours that there is not",
        command=f"""{CHECK} --set 'data.columns={{"qestion": "question"}}'""",
        place="questions.jsonl: columns",
        value="'qestion', which is no column",
        mend="did you mean 'question'?",
    ),
    case(
        "a column of theirs that there is not",
        command=f"""{CHECK} --set 'data.columns={{"topic": "tpic"}}'""",
        place="questions.jsonl: columns",
        value="'topic' is to be read from 'tpic', which is not there",
        mend="did you mean 'topic'?",
    ),
    case(
        "a row of an experiment that asks nothing",
        asked_from(
            "q.csv",
            "data_type,input_data,user_question,rag_retrieved_data,output_message\n규정,,,두 주 빌린다.,두 주입니다.\n",
        ),
        place="q.csv:row 2, column 'user_question'",
        value="is empty",
        mend="write the text, or remove the row",
    ),
    case(
        "a hub that cannot be reached",
        recipe('HERE / "questions.jsonl"', '"hub:org/name@v1#test"'),
        place="hub:org/name@v1#test: ",
        value="cannot be had from the hub",
        mend="download it and give its directory",
    ),
    case(
        "a name that is no data set's",
        recipe('HERE / "questions.jsonl"', '"hub:name"'),
        place="recipe.py: Data.questions",
        value="'hub:name'",
        mend="should be hub:ORG/NAME",
    ),
    case(
        "a directory with several splits",
        write("asked/train.csv", "id,question,answer\n1,Where?,Here.\n"),
        write("asked/test.csv", "id,question,answer\n1,Where?,Here.\n"),
        recipe("questions.jsonl", "asked"),
        place="asked: ",
        value="holds the splits train, test",
        mend="choose one, such as",
    ),
)
