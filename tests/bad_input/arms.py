"""What can be wrong with conditions, adapters, stopping and the verbs around a tuned arm."""

from __future__ import annotations

from .case import CHECK, case
from .changes import recipe
from .commands import OTHER

BOOK = "arms.open-book"

ARMS = (
    case(
        "a mix is asked under",
        command=f"{CHECK} --set conditions=none,gold,mixed@0.5+2-answer",
        place="conditions: ",
        value="'mixed@0.5+2-answer' is for training only",
        mend="ask with gold or distractors@N",
    ),
    case(
        "a mix with more than all rows golden",
        command=f"{CHECK} --set {BOOK}.condition=mixed@1.5+2-abstain",
        place=f"--set {BOOK}.condition=",
        value="mixed@1.5",
        mend="the share must lie between 0 and 1",
    ),
    case(
        "a condition with no such number",
        command=f"{CHECK} --set conditions=none,gold,retrieved@0",
        place="--set conditions=",
        value="retrieved@0",
        mend="needs at least one passage",
    ),
    case(
        "more passages retrieved than there are",
        command=f"{CHECK} --set conditions=none,gold,retrieved@90",
        place="question 'lamp0-seen' under condition retrieved@90",
        value="needs 90 passages and there are 15",
        mend="add documents or ask for fewer",
        problems=13,
    ),
    case(
        "questions without a counterfactual passage",
        command=f"{CHECK} --set conditions=none,gold,counterfactual",
        place="question 'lamp0-seen' under condition counterfactual",
        value="it has no counterfactual passage",
        mend="fill its column 'counterfactual' or drop the condition",
        problems=12,
    ),
    case(
        "an arm that is asked as trained under a condition that is not asked",
        recipe("conditions=(NONE, GOLD, GoldAmong(2), Distractors(2))", 'conditions=(NONE,), cells="as-trained"'),
        command=f"{CHECK} --set comparison.contrasts=[]",
        place="cells = 'as-trained'",
        value="arm 'open-book' is trained under 'gold', which is not among the conditions",
        mend="add it",
    ),
    case(
        "a contrast of a cell that is not asked",
        command=f"{CHECK} --set cells=as-trained",
        place="comparison.contrasts",
        value="closed-book/gold is not asked",
        mend="set cells='all'",
    ),
    case(
        "a quantisation there is not",
        recipe(
            "Tuned(condition=GOLD, adapter=LoRA(rank=4",
            'Tuned(condition=GOLD, adapter=QLoRA(quantization="nf8", rank=4',
        ),
        place="QLoRA.quantization",
        value="'nf8'",
        mend="should be 'nf4' or 'fp4'",
    ),
    case(
        "a LoRA that is told how to quantise",
        command=f"{CHECK} --set {BOOK}.adapter.quantization=nf4",
        place=f"--set {BOOK}.adapter.quantization=nf4",
        value=f"no field '{BOOK}.adapter.quantization'",
        mend="there is 'rank'",
    ),
    case(
        "what is kept is neither the last nor the best",
        command=f"{CHECK} --set optimization.keep=first",
        place="--set optimization.keep=first",
        value="'first'",
        mend="it takes last or best",
    ),
    case(
        "a patience of nothing",
        command=f"{CHECK} --set optimization.patience=0",
        place="--set optimization.patience=0",
        value="'0'",
        mend="should be greater than or equal to 1",
    ),
    case(
        "a limit of nothing",
        command=f"{CHECK} --limit 0",
        place="--set data.limit=0",
        value="'0'",
        mend="should be greater than or equal to 1",
    ),
    case(
        "init on questions that are not there",
        command="init --questions none.csv --documents corpus --model org/name",
        place="none.csv",
        value="no such file or directory",
        mend="check the path",
    ),
    case(
        "init over a file that is there",
        command="init --questions questions.jsonl --documents corpus --model org/name --out recipe.py",
        place="recipe.py",
        value="is there already",
        mend="give another --out",
    ),
    case(
        "chat with a run that is not there",
        command="chat nowhere --arm base",
        place="nowhere: ",
        value="holds no run",
        mend="or its manifest.json is damaged",
    ),
    case(
        "chat with a run that was stopped before it had anything",
        OTHER,
        command="chat run --arm base",
        place="manifest.json",
        value="was edited",
        mend="restore it or remove the run directory",
    ),
)
