"""What psycopg 3 does in an ordinary program, its own catalogue queries among them; prints one line for each."""

import os

import psycopg
from psycopg.types import TypeInfo
from psycopg.types.composite import CompositeInfo

with psycopg.connect("") as connection:
    print("server", connection.info.server_version // 10000)
    print("rows", connection.execute("select item from orders where id = %s", [1]).fetchone())
    print("list", len(connection.execute("select id from orders where id = any(%s)", [[1, 2, 3]]).fetchall()))
    print("type", TypeInfo.fetch(connection, "numeric").name)
    print("composite", list(CompositeInfo.fetch(connection, "orders").field_names[:2]))
    with connection.transaction(), connection.cursor("mine") as cursor:
        cursor.execute("select id from orders order by id")
        print("cursor", len(cursor.fetchmany(10)))
    with connection.transaction(force_rollback=True):
        print("savepoint", connection.execute("select count(*) from orders").fetchone())
    print("binary", connection.cursor(binary=True).execute("select amount, ordered_at from orders limit 1").fetchone() is not None)
    with connection.pipeline():
        first = connection.execute("select 1")
        second = connection.execute("select 2")
    print("pipeline", first.fetchone(), second.fetchone())
    connection.execute("set timezone to 'Europe/Berlin'")
    connection.commit()
    try:
        connection.execute("select value from secrets")
    except psycopg.errors.InsufficientPrivilege as error:
        print("refused", error.diag.message_primary)
        connection.rollback()
    print("after", connection.execute("select 1").fetchone())
print("closed", os.environ["PGUSER"])
