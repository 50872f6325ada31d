"""Finding a recipe, running its module, and setting single fields of it from the command line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from textwrap import dedent

import pytest

from train.conditions import Distractors
from train.errors import UserError
from train.loading import find, load_recipe, shipped_recipes, summary
from train.recipe import GOLD, NONE, GoldAmong, Recipe, Sampling, Untuned

MODULE = '''
"""A small recipe.   openbook run small.py"""

from train.recipe import *

RECIPE = Recipe(
    name="small",
    base=Base("org/model"),
    data=Data(questions="questions.csv"),
    arms={
        "base": Untuned(),
        "closed-book": Tuned(condition=NONE),
        "open-book": Tuned(condition=GOLD),
        "lora-1.5": Tuned(condition=GOLD),
    },
    comparison=Comparison(contrasts=("open-book/gold vs closed-book/gold",)),
)
'''

Write = Callable[[str], str]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes a recipe module and returns its path."""

    def write_module(text: str) -> str:
        path = tmp_path / "small.py"
        path.write_text(dedent(text).lstrip("\n"), encoding="utf-8")
        return str(path)

    return write_module


@pytest.fixture
def load(write: Write) -> Callable[..., Recipe]:
    path = write(MODULE)
    return lambda *settings: load_recipe(path, settings)


@pytest.mark.parametrize(
    ("setting", "value", "wanted"),
    [
        ("sampling.samples=8", lambda r: r.sampling.samples, 8),
        (" sampling.samples = 8 ", lambda r: r.sampling.samples, 8),
        ("sampling.temperature=1", lambda r: r.sampling.temperature, 1.0),
        ("optimization.learning_rate=1e-3", lambda r: r.optimization.learning_rate, 0.001),
        ("sampling.batch_size=null", lambda r: r.sampling.batch_size, None),
        ("sampling.batch_size=4", lambda r: r.sampling.batch_size, 4),
        ('sampling={"samples": 2}', lambda r: r.sampling, Sampling(samples=2)),
        ("base.trust_remote_code=true", lambda r: r.base.trust_remote_code, True),
        ("base.model=123", lambda r: r.base.model, "123"),  # a text, though it looks like a number
        ("base.model=other/model", lambda r: r.base.model, "other/model"),
        ('base.model="quoted"', lambda r: r.base.model, "quoted"),
        ("base.revision=null", lambda r: r.base.revision, None),
        ("base.dtype=bfloat16", lambda r: r.base.dtype, "bfloat16"),
        ("data.corpus=some/documents", lambda r: r.data.corpus, Path("some/documents")),
        ("data.splits.unseen=0.5", lambda r: r.data.splits.unseen, 0.5),
        ("prompt.system=", lambda r: r.prompt.system, ""),
        ("prompt.system=Say a=b, {c} or 한국어.", lambda r: r.prompt.system, "Say a=b, {c} or 한국어."),
        ("training_seeds=0,1", lambda r: r.training_seeds, (0, 1)),
        ("training_seeds=[2, 3]", lambda r: r.training_seeds, (2, 3)),
        ("training_seeds=5", lambda r: r.training_seeds, (5,)),
        ("conditions=none, gold,distractors@1", lambda r: r.conditions, (NONE, GOLD, Distractors(1))),
        ('conditions=["none", "gold"]', lambda r: r.conditions, (NONE, GOLD)),
        ("ask=validation", lambda r: r.ask, ("validation",)),
        ("comparison.context=gold+3", lambda r: r.comparison.context, GoldAmong(3)),
        ("comparison.contrasts=base/none vs base/gold", lambda r: len(r.contrasts), 1),
        ("arms.base={}", lambda r: r.arms["base"], Untuned()),
        ("arms.open-book.adapter.rank=64", lambda r: r.arms["open-book"].adapter.rank, 64),
        ("arms.lora-1.5.adapter.rank=64", lambda r: r.arms["lora-1.5"].adapter.rank, 64),
        ("arms.open-book.condition=gold+2", lambda r: r.arms["open-book"].condition, GoldAmong(2)),
        (
            "arms.open-book.adapter.target_modules=q_proj, v_proj",
            lambda r: r.arms["open-book"].adapter.target_modules,
            ("q_proj", "v_proj"),
        ),
    ],
)
def test_a_field_is_set(load, setting, value, wanted):
    assert value(load(setting)) == wanted


@pytest.mark.parametrize(
    ("setting", "fragments"),
    [
        ("sampling.samples", ["'sampling.samples': write it as path.to.field=value"]),
        ("=8", ["'=8': write it as path.to.field=value"]),
        ("samplin.samples=8", ["no field 'samplin'; did you mean 'sampling'?"]),
        ("sampling.smaples=8", ["no field 'sampling.smaples'; did you mean 'samples'?"]),
        ("arms.open-bok.adapter.rank=8", ["arms: no 'open-bok'; did you mean 'open-book'?"]),
        ("arms.open-book.adaptor.rank=8", ["no field 'arms.open-book.adaptor'; did you mean 'adapter'?"]),
        ("arms.open-book.optimization.epoch=8", ["'arms.open-book.optimization.epoch'; did you mean 'epochs'?"]),
        ("arms.base.adapter.rank=8", ["no field 'arms.base.adapter'"]),
        ("sampling.samples.more=8", ["sampling.samples is 4 and has no field 'more'"]),
        ("base.revision.commit=x", ["base.revision is None and has no field 'commit'"]),
        ("sampling.samples=8.0", ["sampling.samples = '8.0'", "valid integer", "it takes a whole number"]),
        ("sampling.samples=true", ["sampling.samples = 'true'", "it takes a whole number"]),
        ("sampling.samples=0", ["sampling.samples = '0'", "greater than or equal to 1"]),
        ("sampling.samples=", ["sampling.samples = ''", "it takes a whole number"]),
        ("sampling.batch_size=many", ["sampling.batch_size = 'many'", "it takes a whole number or null"]),
        ("sampling.temperature=warm", ["sampling.temperature = 'warm'", "it takes a number"]),
        ("sampling.temperature=NaN", ["sampling.temperature = 'NaN'", "finite number"]),
        ("sampling.temperature=Infinity", ["sampling.temperature = 'Infinity'", "finite number"]),
        ("sampling.temperature=0", ["sampling.samples = 4", "all samples would be the same answer"]),
        ("sampling=8", ["sampling = '8'", "it takes Sampling"]),
        ("base.dtype=float64", ["base.dtype = 'float64'", "it takes auto or float32 or bfloat16 or float16"]),
        ("base.trust_remote_code=yes", ["base.trust_remote_code = 'yes'", "it takes true or false"]),
        ("data.questions=", ["data.questions = ''", "should be a path"]),
        ("prompt.with_context=Hi", ["prompt.with_context: 'Hi' lacks {context}; add it"]),
        ("optimization.schedule=cosin", ["optimization.schedule = 'cosin'", "linear or cosine or constant"]),
        ("training_seeds=0,x", ["'0,x'", "valid integer; it takes a list between commas, each a whole number"]),
        ("training_seeds=-1", ["'-1'", "greater than or equal to 0"]),
        ("training_seeds=", ["training_seeds: empty; name at least one"]),
        ("conditions=none,gold,gold", ["'gold' stands there twice"]),
        ("conditions=none,gold+x", ["condition 'gold+x': not one of none, gold, gold+N"]),
        ("conditions=none", ["comparison.contrasts: no condition 'gold'; there is 'none'"]),
        ("ask=tset", ["'tset'", "each validation or seen or unseen or unanswerable"]),
        ("name=a/b", ["'a/b' is not a safe name"]),
    ],
)
def test_a_setting_that_cannot_be_is_refused_by_name(load, setting, fragments):
    with pytest.raises(UserError) as refused:
        load(setting)
    assert str(refused.value).startswith("--set ")
    assert all(fragment in str(refused.value) for fragment in (setting, *fragments))
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    "settings",
    [
        # Neither of two can be set without the other, in whatever order they are given.
        ("sampling.temperature=0", "sampling.samples=1"),
        ("conditions=none,gold+1", "comparison.contrasts=open-book/gold+1 vs base/gold+1"),
        ("comparison.context=gold+7", "conditions=none,gold,gold+7"),
    ],
)
def test_what_belongs_together_is_set_together(load, settings):
    assert load(*settings) == load(*reversed(settings))


def test_of_two_settings_of_one_field_the_last_counts(load):
    assert load("sampling.samples=2", "sampling.samples=3").sampling.samples == 3
    assert load("sampling.samples=2", "sampling={}").sampling == Sampling()
    assert load("sampling={}", "sampling.samples=2").sampling.samples == 2


def test_of_several_settings_the_wrong_one_is_named(load):
    with pytest.raises(UserError, match=r"^--set sampling\.top_p=2: "):
        load("sampling.samples=2", "sampling.top_p=2", "name=other")


def test_settings_of_one_arm_leave_the_others_alone(load):
    recipe = load("arms.open-book.optimization.epochs=9", "optimization.batch_size=3", "optimization.epochs=2")
    assert recipe.optimization_of("open-book").epochs == 9
    assert recipe.optimization_of("open-book").batch_size == 3, "all else of its own is the common one's"
    assert recipe.optimization_of("closed-book").epochs == 2
    assert load("arms.open-book.optimization.epochs=9").arms["closed-book"].optimization is None


@pytest.mark.parametrize(
    ("old", "new", "fragments"),
    [
        ("RECIPE = Recipe(", "RECIPE = Recipe((", [":5: not valid Python: "]),
        ("RECIPE = ", "OTHER = ", ["has no RECIPE = Recipe(...)"]),
        ("RECIPE = Recipe(", "RECIPE = dict(", ["has no RECIPE = Recipe(...)"]),
        ('"open-book": Tuned', '"base": Tuned', ["the name 'base' stands there twice; rename one"]),
        (
            "open-book/gold vs",
            "open-bok/gold vs",
            ["comparison.contrasts: no arm 'open-bok'; did you mean 'open-book'?"],
        ),
        ("data=", "dat=", ["Recipe: no field 'dat'; did you mean 'data'?"]),
        ('    data=Data(questions="questions.csv"),\n', "", ["Recipe.data: is missing; give it a value"]),
        ('"org/model"', "5", ["Base.model = 5: input should be a valid string"]),
        ("Tuned(condition=NONE)", 'Tuned(condition="gold+x")', ["condition 'gold+x': not one of none, gold"]),
        ("Untuned()", "Untuend()", ["does not run: NameError: name 'Untuend' is not defined"]),
        ("from train", "from trian", ["does not run: ModuleNotFoundError", "trian"]),
    ],
)
def test_a_module_that_is_wrong_is_refused_with_its_path_and_why(write, old, new, fragments):
    assert MODULE.count(old) == 1
    path = write(MODULE.replace(old, new))
    with pytest.raises(UserError) as refused:
        load_recipe(path)
    assert str(refused.value).startswith(path)
    assert all(fragment in str(refused.value) for fragment in fragments)


def test_a_module_saved_with_a_byte_order_mark_is_read(write):
    path = write("\ufeff" + MODULE.lstrip())
    assert load_recipe(path).name == "small"
    assert summary(Path(path)) == "A small recipe."


def test_a_recipe_derives_from_another(write):
    path = write(
        """
        from recipes.quickstart import RECIPE as QUICKSTART
        RECIPE = QUICKSTART.replace(name="mine")
        """
    )
    assert load_recipe(path).arms == load_recipe("quickstart").arms


def test_shipped_recipes_are_found_by_name():
    for name, path in shipped_recipes().items():
        assert find(name) == path


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("quickstrat", "recipe 'quickstrat': neither a .py file nor a shipped recipe; did you mean 'quickstart'?"),
        ("missing.py", "recipe 'missing.py': no such file"),
        ("", "recipe '': neither a .py file nor a shipped recipe; there is "),
    ],
)
def test_a_recipe_that_is_not_there_is_refused(name, message):
    with pytest.raises(UserError) as refused:
        load_recipe(name)
    assert str(refused.value).startswith(message)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ('"""What it is.   openbook run it"""\n', "What it is."),
        ('"""What it is.\n\nMore."""\n', "What it is."),
        ("", ""),
    ],
)
def test_a_summary_is_read_without_running_the_module(write, tmp_path, text, wanted):
    trace = tmp_path / "it ran"
    path = Path(write(text + f"open({str(trace)!r}, 'w')\n"))
    assert summary(path) == wanted
    assert not trace.exists()
