"""Four statements in one pipeline, the third from the command line; prints whether it was refused, and that the session goes on."""
import sys

import psycopg

where, third = sys.argv[1:]
with psycopg.connect(where, autocommit=True) as connection:
    outcome = "done"
    try:
        with connection.pipeline():
            connection.execute("insert into notes values (1)")
            connection.execute("insert into notes values (2)")
            connection.execute(third)
            connection.execute("insert into notes values (3)")
    except psycopg.errors.InsufficientPrivilege as error:
        assert "postern" in str(error), error
        outcome = "refused"
    print(f"{outcome}, {connection.execute('select count(*) from orders').fetchone()[0]}")
