"""What the stack is made of. A construct takes constructs, and describes: of `ingest` it knows what describes too."""
