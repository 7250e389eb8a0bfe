"""Of a type whose decoder two threads make at once msgspec crashes the process: the pipeline makes them at import."""

from __future__ import annotations

import ast

from tests.architecture.tree import modules, named, parsed


def test_the_pipeline_makes_the_decoders_of_its_types_before_there_are_threads() -> None:
    made_on_the_way = [
        f"{named(path)}:{node.lineno}"
        for path in modules("option_a/ingest")
        for function in ast.walk(parsed(path))
        if isinstance(function, ast.FunctionDef)
        for node in ast.walk(function)
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith(("json.decode", "json.Decoder"))
        if any(word.arg == "type" and not ast.unparse(word.value).startswith("dict[") for word in node.keywords)
    ]
    assert made_on_the_way == []
