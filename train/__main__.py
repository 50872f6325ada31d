"""`python -m train …` is `openbook …`."""

from train.cli import main

raise SystemExit(main())
