"""How good the transforms are: round trips through files, references, and this machine's own speed."""
