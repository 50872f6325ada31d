"""The experiment that openbook grew from, on 30 rows of ours: two Kanana arms.   openbook run kanana_seed_experiment

Kanana-1.5-2.1B is tuned twice on the same 30 rows, without and with the passage; each arm is asked the way it was
trained, each question 4 times at temperature 0.6. Published, judged by hand: 100 % with context, 80 % without.

The rows that are asked are the rows that were trained on, and the context is the right passage, handed over. So this
shows how well each arm repeats what it was shown and nothing about new facts: `kanana_ml_terms` is the better question.

Rows of one's own in the same format (`data_type, input_data, user_question, rag_retrieved_data, output_message`):
openbook run kanana_seed_experiment --set data.questions=my_rows.csv
"""

from recipes import DATA
from recipes.kanana_ml_terms import RECIPE as ML_TERMS
from train.recipe import GOLD, NONE, Comparison, Data, LoRA, Optimization, Sampling, Tuned

RECIPE = ML_TERMS.replace(
    name="kanana-seed-experiment",
    data=Data(questions=DATA / "ml_terms" / "seed_experiment.ko.csv"),
    arms={
        "closed-book": Tuned(condition=NONE, adapter=LoRA(rank=64, alpha=16, dropout=0.05)),
        "open-book": Tuned(condition=GOLD, adapter=LoRA(rank=64, alpha=16, dropout=0.05)),
    },
    conditions=(NONE, GOLD),
    cells="as-trained",
    ask=("seen",),
    optimization=Optimization(learning_rate=3e-4, batch_size=2, epochs=20),
    sampling=Sampling(samples=4, temperature=0.6, max_new_tokens=256, seed=11),
    comparison=Comparison(contrasts=("open-book/gold vs closed-book/none",), split="seen"),
)
