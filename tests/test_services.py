"""The services of the tests are real, separate and empty."""

import psycopg
from sqlalchemy import create_engine, make_url, text


def test_each_database_is_new_and_empty(new_database):
    first, second = new_database(), new_database()
    assert first != second
    for url in (first, second):
        engine = create_engine(url)
        with engine.begin() as connection:
            connection.execute(text("CREATE TABLE only_here (x integer)"))
        engine.dispose()


def test_the_server_is_private(postgres_url):
    url = make_url(postgres_url)
    assert url.host == "127.0.0.1"
    with psycopg.connect(url.set(drivername="postgresql").render_as_string()) as connection:
        assert connection.execute("SHOW fsync").fetchone() == ("off",)
        assert connection.execute("SHOW listen_addresses").fetchone() == ("127.0.0.1",)
