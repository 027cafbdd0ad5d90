#!/usr/bin/env python3
"""Checks documents against a JSON Schema, with an implementation of its own.

First argument: the schema's file; second, optional: one of its definitions.  Standard
input: a JSON object from names to documents, each of them JSON in a text; standard output: an
object from the same names to lists of what is wrong.  Each error is the way to the value with dots
between, a colon, and what the library says of it.
"""
import json
import re
import sys

from jsonschema import Draft202012Validator


def ecma(schema):
    """The same schema for Python, where "$" in a pattern also stands before a last line end."""
    if isinstance(schema, list):
        return [ecma(value) for value in schema]
    if not isinstance(schema, dict):
        return schema
    return {key: re.sub(r"(?<!\\)\$", r"\\Z", value) if key == "pattern" and isinstance(value, str)
            else ecma(value) for key, value in schema.items()}


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        schema = json.load(file)
    Draft202012Validator.check_schema(schema)
    schema = ecma(schema)
    validator = Draft202012Validator(schema)
    if sys.argv[2:]:
        validator = validator.evolve(schema=schema["$defs"][sys.argv[2]])
    result = {}
    for name, text in json.load(sys.stdin).items():
        result[name] = [".".join(map(str, error.absolute_path)) + ": " + error.message
                        for error in validator.iter_errors(json.loads(text))]
    json.dump(result, sys.stdout)


main()
