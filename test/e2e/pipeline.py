"""A pipeline whose third statement is refused: the first two must not be committed. Then the session goes on."""
import sys

import psycopg

with psycopg.connect(sys.argv[1], autocommit=True) as connection:
    try:
        with connection.pipeline():
            connection.execute("insert into notes values (1)")
            connection.execute("insert into notes values (2)")
            connection.execute("drop table notes")
            connection.execute("insert into notes values (3)")
    except psycopg.errors.InsufficientPrivilege as error:
        assert "postern" in str(error), error
    else:
        raise AssertionError("nothing was refused")
    assert connection.execute("select count(*) from orders").fetchone() == (1000,)
