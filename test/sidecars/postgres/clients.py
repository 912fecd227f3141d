"""What psycopg reads behind limits; the first argument after the connection says which, the rest are statements. Prints JSON."""
import json
import sys

import psycopg

where, how, *statements = sys.argv[1:]
notices = []


def read(cursor, statement):
    if how == "fetchmany":
        cursor.execute(statement)
        rows = []
        while more := cursor.fetchmany(2):
            rows += more
        return rows
    return cursor.execute(statement).fetchall()


def asked(connection, statement):
    named = how == "server"
    try:
        with connection.cursor("portal" if named else None) as cursor:
            if named:
                cursor.itersize = 2
                cursor.execute(statement)
                return [list(row) for row in cursor]
            return [list(row) for row in read(cursor, statement)]
    except psycopg.Error as error:
        connection.rollback()
        return [error.sqlstate, error.diag.message_primary, error.diag.message_detail]


def loaded(connection, statement, data):
    try:
        with connection.cursor() as cursor, cursor.copy(statement) as copy:
            for line in data.splitlines(keepends=True):
                copy.write(line)
        connection.commit()
        return ["loaded"]
    except psycopg.Error as error:
        connection.rollback()
        return [error.sqlstate, error.diag.message_primary]


with psycopg.connect(where) as connection:
    connection.add_notice_handler(lambda said: notices.append(said.message_primary))
    if how == "copy":
        answers = [loaded(connection, statements[0], data) for data in statements[1:]]
    else:
        answers = [asked(connection, statement) for statement in statements]
    print(json.dumps({"answers": answers, "notices": notices}))
