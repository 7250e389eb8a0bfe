"""dlt's rest_api source into a folder of jsonl.gz. `python dlt_rest.py OUT BASE DATE tuned|default SOURCE...`

`default` is what its documentation's first example does. `tuned` pulls every lever of its performance guide that
was seen to help: sources in parallel, no child tables, and extracted files that are not packed and small enough
for the normalizing workers, one a core, to share them.
"""

import os
import sys
from pathlib import Path

SETTINGS = {
    "RUNTIME__DLTHUB_TELEMETRY": "false",
    "RUNTIME__LOG_LEVEL": "WARNING",
}
TUNED_SETTINGS = {
    "EXTRACT__WORKERS": "8",
    "SOURCES__DATA_WRITER__FILE_MAX_ITEMS": "12500",
    "SOURCES__DATA_WRITER__DISABLE_COMPRESSION": "true",
    "NORMALIZE__WORKERS": str(os.cpu_count()),
}


def load(out: Path, base: str, date: str, tuned: bool, sources: list[str]) -> None:
    """Load the sources in one pipeline."""
    os.environ.update(SETTINGS, DLT_DATA_DIR=str(out / "dlt"))
    if tuned:
        os.environ.update(TUNED_SETTINGS)
    # dlt reads its settings from the environment when imported; it is installed for this script alone.
    import dlt  # type: ignore[import-not-found, unused-ignore]
    from dlt.sources.rest_api import rest_api_source  # type: ignore[import-not-found, unused-ignore]

    source = rest_api_source(
        {
            "client": {
                "base_url": base,
                "paginator": {"type": "page_number", "base_page": 1, "total_path": "total_pages"},
            },
            "resource_defaults": {
                "write_disposition": "append",
                "endpoint": {"params": {"date": date}, "data_selector": "data"},
                **({"max_table_nesting": 0} if tuned else {}),
            },
            "resources": sources,
        },
        parallelized=tuned,  # here, not in resource_defaults, where it has no effect
    )
    pipeline = dlt.pipeline(
        "bench",
        destination=dlt.destinations.filesystem(bucket_url=out.as_uri()),
        dataset_name="raw",
        pipelines_dir=str(out / "pipelines"),
    )
    pipeline.run(source, loader_file_format="jsonl")


if __name__ == "__main__":
    load(Path(sys.argv[1]).resolve(), sys.argv[2], sys.argv[3], sys.argv[4] == "tuned", sys.argv[5:])
