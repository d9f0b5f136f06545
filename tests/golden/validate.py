#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Validates JSON documents, one after the other in a file, against the part of JSON Schema draft 7 that our schemas use.

usage: validate.py SCHEMA FILE
"""
import json
import sys

KNOWN = {"$schema", "title", "description", "type", "required", "properties", "items", "enum", "const", "oneOf", "minimum",
         "maximum", "minItems"}
TYPES = {"object": dict, "array": list, "string": str, "boolean": bool, "null": type(None)}


def has_type(value, name):
    if name in ("number", "integer"):
        return isinstance(value, (int, float)) and not isinstance(value, bool) and (name == "number" or value == int(value))
    return isinstance(value, TYPES[name])


def errors(value, schema, at):
    unknown = set(schema) - KNOWN
    if unknown:
        raise SystemExit(f"the schema uses {unknown}, which this checker does not know")
    names = schema.get("type", [])
    names = [names] if isinstance(names, str) else names
    if names and not any(has_type(value, n) for n in names):
        return [f"{at}: {value!r:.60} is no {' or '.join(names)}"]
    found = []
    if "const" in schema and value != schema["const"]:
        found.append(f"{at}: {value!r:.60} is not {schema['const']!r}")
    if "enum" in schema and value not in schema["enum"]:
        found.append(f"{at}: {value!r:.60} is none of {schema['enum']}")
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        if value < schema.get("minimum", value) or value > schema.get("maximum", value):
            found.append(f"{at}: {value} is out of bounds")
    if isinstance(value, dict):
        found += [f"{at}: {key} is missing" for key in schema.get("required", []) if key not in value]
        for key, sub in schema.get("properties", {}).items():
            if key in value:
                found += errors(value[key], sub, f"{at}.{key}")
    if isinstance(value, list):
        if len(value) < schema.get("minItems", 0):
            found.append(f"{at}: too few items")
        for i, item in enumerate(value):
            found += errors(item, schema.get("items", {}), f"{at}[{i}]")
    if "oneOf" in schema:
        tries = [errors(value, sub, at) for sub in schema["oneOf"]]
        if sum(not t for t in tries) != 1:
            found += min((t for t in tries if t), key=len, default=[]) or [f"{at}: matches several of oneOf"]
    return found


def documents(text):
    decoder, i = json.JSONDecoder(), 0
    while i < len(text):
        value, i = decoder.raw_decode(text, i)
        yield value
        while i < len(text) and text[i].isspace():
            i += 1


def main():
    schema = json.load(open(sys.argv[1], encoding="utf-8"))
    values = list(documents(open(sys.argv[2], encoding="utf-8").read()))
    found = [e for i, v in enumerate(values) for e in errors(v, schema, f"{sys.argv[2]}[{i}]")]
    for e in found:
        print(e)
    if not values:
        print(f"{sys.argv[2]}: no document")
    sys.exit(bool(found) or not values)


main()
