"""`openbook init`: a recipe module for one's own questions and documents, written from what is in them.

`material` reads the files, `choices` decides what can be compared with them, `wording` has the prompts, `module` writes
it all down as Python. Only `write_recipe` touches the disk.
"""

from train.scaffold.write import write_recipe

__all__ = ["write_recipe"]
