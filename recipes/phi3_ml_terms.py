"""Phi-3-mini (3.8 B) on English machine-learning terms, LoRA and 4-bit QLoRA.   openbook run phi3_ml_terms

On several GPUs: accelerate launch --no_python openbook run phi3_ml_terms
"""

from recipes import DATA
from recipes.kanana_ml_terms import RECIPE as KANANA
from train.recipe import Base, Data, PromptTemplate

RECIPE = KANANA.replace(
    name="phi3-ml-terms",
    base=Base("microsoft/Phi-3-mini-4k-instruct"),
    data=Data(questions=DATA / "ml_terms" / "questions.en.jsonl", corpus=DATA / "ml_terms" / "corpus.en"),
    prompt=PromptTemplate(
        system="Answer questions about machine-learning terms in one short sentence. "
        "If you cannot know, say: The notes do not say.",
        with_context="{context}\n\nAnswer from the notes above. Question: {question}",
        without_context="Question: {question}",
        passage="[{number}] {text}",
        abstention="The notes do not say.",
    ),
)
