"""SmolLM2-135M-Instruct on English machine-learning terms: every condition, no GPU.   openbook run smollm2_ml_terms

The conditions of the larger models' recipes and their arms but the mix, at a size that a laptop can do within the hour.
"""

from recipes.phi3_ml_terms import RECIPE as PHI3
from recipes.quickstart import RECIPE as QUICKSTART
from train.recipe import GOLD, NONE, Comparison, LoRA, Optimization, QLoRA, Retrieved, Sampling, Tuned, Untuned

RECIPE = PHI3.replace(
    name="smollm2-ml-terms",
    base=QUICKSTART.base,
    arms={
        "base": Untuned(),
        "closed-book": Tuned(condition=NONE, adapter=LoRA(rank=16, alpha=32)),
        "open-book": Tuned(condition=GOLD, adapter=LoRA(rank=16, alpha=32)),
        "open-book-4bit": Tuned(condition=GOLD, adapter=QLoRA(rank=16, alpha=32)),
    },
    optimization=Optimization(learning_rate=3e-4, batch_size=8, epochs=4),
    sampling=Sampling(samples=2, temperature=0.6, max_new_tokens=40, seed=11),
    comparison=Comparison(
        contrasts=("open-book/retrieved@3 vs closed-book/none", "open-book-4bit/gold vs open-book/gold"),
        split="unseen",
        context=Retrieved(3),
    ),
)
