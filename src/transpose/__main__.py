"""`python -m transpose`."""

from transpose.cli import main

raise SystemExit(main())
