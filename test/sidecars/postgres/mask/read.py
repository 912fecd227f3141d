"""Reads the rows of two statements with psycopg, of one in text and of one in binary; prints them as JSON, null for NULL and all else as Python shows it."""
import json
import sys

import psycopg

where, *statements = sys.argv[1:]


def plain(value):
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, list):
        return [plain(one) for one in value]
    return {"shown": repr(value)}


with psycopg.connect(where, autocommit=True) as connection:
    answers = {}
    for binary, statement in zip((False, True), statements):
        with connection.cursor(binary=binary) as cursor:
            rows = cursor.execute(statement).fetchall()
            answers["binary" if binary else "text"] = [[plain(cell) for cell in row] for row in rows]
    print(json.dumps(answers))
