"""What can be wrong in a recipe or a `--set`."""

from __future__ import annotations

from .case import CHECK, case
from .changes import Change, recipe, write


def name_of_arm(name: str) -> Change:
    """The first arm has this name."""
    return recipe('"base": Untuned()', f"{name!r}: Untuned()")


RECIPES = (
    case(
        "no answer is to be sampled",
        command=f"{CHECK} --set sampling.samples=0",
        place="--set sampling.samples=0",
        value="sampling.samples = '0'",
        mend="should be greater than or equal to 1",
    ),
    case(
        "no answer is to be sampled, in the recipe",
        recipe("samples=2", "samples=0"),
        place="recipe.py: Sampling.samples",
        value="= 0",
        mend="should be greater than or equal to 1",
    ),
    case(
        "several samples at temperature 0",
        command=f"{CHECK} --set sampling.temperature=0",
        place="sampling.samples = 2",
        value="sampling.temperature = 0",
        mend="set sampling.samples=1 or a temperature above 0",
    ),
    case(
        "two arms of one name",
        recipe('"open-book": Tuned', '"closed-book": Tuned'),
        place="recipe.py: line",
        value="the name 'closed-book' stands there twice",
        mend="rename one",
    ),
    case(
        "an arm's name that leads out of the run",
        name_of_arm("../x"),
        place="recipe.py: arms",
        value="'../x' is not a safe name",
        mend="use up to 64 lower-case letters",
    ),
    case(
        "an arm's name with a blank",
        name_of_arm("A b"),
        place="recipe.py: arms",
        value="'A b' is not a safe name",
        mend="use up to 64 lower-case letters",
    ),
    case(
        "an arm without a name",
        name_of_arm(""),
        place="recipe.py: arms",
        value="'' is not a safe name",
        mend="use up to 64 lower-case letters",
    ),
    case(
        "no arms",
        command=f"{CHECK} --set arms={{}}",
        place="--set arms={}: arms",
        value="there are none",
        mend="add at least one, such as 'base': Untuned()",
    ),
    case(
        "a recipe's name that is a path",
        recipe('name="tiny"', 'name="runs/tiny"'),
        place="recipe.py: name",
        value="'runs/tiny' is not a safe name",
        mend="use up to 64 lower-case letters",
    ),
    case(
        "an unknown recipe",
        command="check quikstart",
        place="recipe 'quikstart'",
        value="neither a .py file nor a shipped recipe",
        mend="did you mean 'quickstart'?",
    ),
    case(
        "no such recipe file",
        command="check recipes.py",
        place="recipe 'recipes.py'",
        value="no such file",
        mend="check the path",
    ),
    case(
        "no RECIPE",
        recipe("RECIPE =", "RECEIPT ="),
        place="recipe.py",
        value="has no RECIPE",
        mend="RECIPE = Recipe(...)",
    ),
    case(
        "not Python",
        recipe("RECIPE = Recipe(", "RECIPE = Recipe(("),
        place="recipe.py:7",
        value="'(' was never closed",
        mend="not valid Python",
    ),
    case(
        "a recipe that fails",
        write("recipe.py", "import no_such_module\n"),
        place="recipe.py:1: ",
        value="No module named 'no_such_module'",
        mend="does not run",
    ),
    case(
        "an unknown field",
        recipe("samples=2", "sample=2"),
        place="recipe.py: Sampling",
        value="no field 'sample'",
        mend="did you mean 'samples'?",
    ),
    case(
        "a value of the wrong type",
        recipe("epochs=3", 'epochs="three"'),
        place="recipe.py: Optimization.epochs",
        value="= 'three'",
        mend="should be a valid integer",
    ),
    case(
        "a field that is missing",
        recipe('name="tiny",', ""),
        place="recipe.py: Recipe.name",
        value="is missing",
        mend="give it a value",
    ),
    case(
        "an unknown field in --set",
        command=f"{CHECK} --set sampling.temprature=1",
        place="--set sampling.temprature=1",
        value="no field 'sampling.temprature'",
        mend="did you mean 'temperature'?",
    ),
    case(
        "a wrong type in --set",
        command=f"{CHECK} --set optimization.epochs=many",
        place="--set optimization.epochs=many",
        value="optimization.epochs = 'many'",
        mend="it takes a whole number",
    ),
    case(
        "a --set without a value",
        command=f"{CHECK} --set sampling.samples",
        place="--set",
        value="'sampling.samples'",
        mend="write it as path.to.field=value",
    ),
    case(
        "an unknown arm in --set",
        command=f"{CHECK} --set arms.openbook.condition=none",
        place="--set arms.openbook.condition=none",
        value="no 'openbook'",
        mend="did you mean 'open-book'?",
    ),
    case(
        "an unknown condition",
        command=f"{CHECK} --set conditions=none,golden",
        place="conditions",
        value="condition 'golden'",
        mend="not one of none, gold, gold+N, distractors@N",
    ),
    case(
        "an unknown condition of an arm",
        recipe("condition=GOLD", 'condition="gold+many"'),
        place="recipe.py",
        value="condition 'gold+many'",
        mend="not one of none, gold, gold+N, distractors@N",
    ),
    case(
        "a condition that is there twice",
        command=f"{CHECK} --set conditions=none,gold,none",
        place="conditions",
        value="'none' stands there twice",
        mend="name it once",
    ),
    case(
        "a contrast of an unknown arm",
        recipe("open-book/gold vs", "openbook/gold vs"),
        place="comparison.contrasts",
        value="no arm 'openbook'",
        mend="did you mean 'open-book'?",
    ),
    case(
        "a contrast under an unknown condition",
        recipe("vs closed-book/gold", "vs closed-book/golt"),
        place="comparison.contrasts",
        value="no condition 'golt'",
        mend="did you mean 'gold'?",
    ),
    case(
        "a contrast on an unknown split",
        recipe("vs closed-book/gold", "vs closed-book/gold on unsen"),
        place="comparison.contrasts",
        value="no split 'unsen'",
        mend="did you mean 'unseen'?",
    ),
    case(
        "a contrast of one cell",
        recipe("open-book/gold vs closed-book/gold", "open-book/gold"),
        place="comparison.contrasts",
        value="'open-book/gold'",
        mend="write it as ARM/CONDITION vs ARM/CONDITION",
    ),
    case(
        "a decision on an unknown split",
        command=f"{CHECK} --set comparison.split=unsen",
        place="comparison.split = 'unsen'",
        value="no such split",
        mend="did you mean 'unseen'?",
    ),
    case(
        "a prompt without the question",
        command=f"{CHECK} --set prompt.without_context=Answer!",
        place="prompt.without_context",
        value="'Answer!'",
        mend="lacks {question}; add it",
    ),
)
