"""Kanana-1.5-2.1B on Korean machine-learning terms, LoRA and 4-bit QLoRA.   openbook run kanana_ml_terms

On several GPUs: accelerate launch --no_python openbook run kanana_ml_terms
"""

from recipes import DATA
from train.recipe import (
    ABSTAIN,
    COUNTERFACTUAL,
    GOLD,
    NONE,
    Base,
    Comparison,
    Data,
    Distractors,
    GoldAmong,
    LoRA,
    Mixed,
    Optimization,
    PromptTemplate,
    QLoRA,
    Recipe,
    Retrieved,
    Sampling,
    Tuned,
    Untuned,
)

RECIPE = Recipe(
    name="kanana-ml-terms",
    base=Base("kakaocorp/kanana-1.5-2.1b-instruct-2505"),
    data=Data(questions=DATA / "ml_terms" / "questions.ko.jsonl", corpus=DATA / "ml_terms" / "corpus.ko"),
    prompt=PromptTemplate(
        system="머신러닝 용어와 평가 지표에 관한 질문에 한 문장으로 짧게 답하세요. "
        "알 수 없으면 이렇게 답하세요: 자료에 나와 있지 않습니다.",
        with_context="{context}\n\n위 자료를 보고 답하세요. 질문: {question}",
        without_context="질문: {question}",
        passage="[{number}] {text}",
        abstention="자료에 나와 있지 않습니다.",
    ),
    arms={
        "base": Untuned(),
        "closed-book": Tuned(condition=NONE, adapter=LoRA(rank=64, alpha=16, dropout=0.05)),
        "open-book": Tuned(condition=GOLD, adapter=LoRA(rank=64, alpha=16, dropout=0.05)),
        "open-book-4bit": Tuned(condition=GOLD, adapter=QLoRA(rank=64, alpha=16, dropout=0.05)),
        "mixed": Tuned(
            condition=Mixed(gold_share=0.8, otherwise=ABSTAIN), adapter=LoRA(rank=64, alpha=16, dropout=0.05)
        ),
    },
    conditions=(NONE, GOLD, GoldAmong(3), Distractors(3), COUNTERFACTUAL, Retrieved(3)),
    optimization=Optimization(learning_rate=3e-4, batch_size=2, accumulation=4, epochs=5, keep="best"),
    sampling=Sampling(samples=4, temperature=0.6, max_new_tokens=96, seed=11),
    comparison=Comparison(
        contrasts=(
            "open-book/retrieved@3 vs closed-book/none",
            "open-book-4bit/gold vs open-book/gold",
            "mixed/distractors@3 vs open-book/distractors@3",
        ),
        split="unseen",
        context=Retrieved(3),
    ),
)
