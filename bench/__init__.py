"""The bench: option-a beside the bare loop, a hand-written script and dlt, in one run. `python -m bench --help`."""
