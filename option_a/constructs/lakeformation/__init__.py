"""Who may read what: Lake Formation's part of the stack, and the stack of its administrators."""
