"""Transactions on a server that stops, hangs or disconnects, and callers that time out."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import pytest_asyncio
from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from bot.errors import CommitUnknown, StorageError, StorageUnavailable
from bot.storage.engine import notifications
from bot.storage.engine.database import Database, open_database
from bot.storage.records import Claim
from bot.storage.store import Store
from tests.support.postgres import Server
from tests.unit.storage.conftest import PATIENCE, Stores
from tests.unit.storage.lossy_proxy import LossyProxy, lossy_proxy
from tests.unit.storage.questions import close_turn, question


@pytest_asyncio.fixture
async def url(postgres: Server) -> AsyncIterator[str]:
    """Only PostgreSQL here."""
    async with postgres.fresh() as url:
        yield url


@pytest_asyncio.fixture
async def other(url: str) -> AsyncIterator[AsyncConnection]:
    """Another client, in the middle of its transaction."""
    engine = create_async_engine(url)
    async with engine.connect() as connection:
        yield connection
    await engine.dispose()


async def test_postgres_restart_is_hidden_by_a_retry(postgres: Server, stores: Stores) -> None:
    store = await stores("one")
    await asyncio.gather(*(store.claim(question(f"A{n}"), None) for n in range(6)))
    postgres.restart()
    claims = await asyncio.gather(*(store.claim(question(f"B{n}"), None) for n in range(6)))
    assert claims == [Claim.CLAIMED] * 6
    postgres.crash()
    postgres.start()
    assert len(await store.get_unfinished_turns("one")) == 12


async def test_postgres_outage_fails_calls_in_time_and_ends_with_the_outage(
    postgres: Server, url: str, database: Database
) -> None:
    async with open_database(url, timeout_seconds=0.3) as impatient:
        store = Store(impatient, replica="one")
        postgres.stop()
        try:
            begun = time.monotonic()
            with pytest.raises(StorageUnavailable, match="Connect call failed"):
                await store.claim(question("Q1"), None)
            assert time.monotonic() - begun < 1.5
            assert not await impatient.is_ready()
        finally:
            postgres.start()
        impatient.timeout_seconds = PATIENCE
        assert await store.claim(question("Q1"), None) is Claim.CLAIMED
        assert await impatient.is_ready()


async def test_postgres_hang_fails_calls_in_time_and_leaves_nothing_half_written(
    postgres: Server, url: str, database: Database
) -> None:
    async with open_database(url, timeout_seconds=0.3) as impatient:
        store = Store(impatient, replica="one")
        await store.heartbeat()
        postgres.freeze()
        try:
            begun = time.monotonic()
            with pytest.raises(StorageUnavailable):
                await store.claim(question("Q1"), None)
            assert time.monotonic() - begun < 1.5
        finally:
            postgres.thaw()
        patient = Store(database, replica="two")
        assert await patient.claim(question("Q1"), None) is Claim.CLAIMED


async def test_postgres_statement_that_timed_out_ends_on_the_server_too(
    postgres: Server, url: str, database: Database
) -> None:
    async with open_database(url, timeout_seconds=0.3) as impatient:
        with pytest.raises(StorageUnavailable):
            await impatient.write(
                lambda connection: connection.execute(text("SELECT pg_sleep(60)"))
            )
        await impatient.write(lambda connection: connection.execute(text("SELECT 1")))
    await _nothing_runs(postgres, url)


@asynccontextmanager
async def database_behind_proxy(
    postgres: Server, url: str
) -> AsyncIterator[tuple[LossyProxy, Database]]:
    """A proxy that can lose responses, and the database opened through it."""
    async with lossy_proxy(postgres.port) as proxy:
        address = make_url(url).set(port=proxy.port).render_as_string(hide_password=False)
        async with open_database(address, timeout_seconds=PATIENCE) as database:
            yield proxy, database


async def test_claim_with_an_unconfirmed_commit_leaves_no_turn(
    postgres: Server, url: str, database: Database
) -> None:
    async with database_behind_proxy(postgres, url) as (proxy, cut_off):
        store = Store(cut_off, replica="one")
        for name in ("Q1", "Q2"):
            proxy.lose_response_to = b"COMMIT;"
            with pytest.raises(CommitUnknown):
                await store.claim(question(name), "t")
        watching = Store(database, replica="two")
        assert await store.claim(question("Q1"), "t") is Claim.CLAIMED, "it is asked again"
        assert await watching.get_turn("Q1") is not None
        await store.heartbeat()
        assert await watching.get_turn("Q2") is None, "it was refused"
        assert await store.claim(question("Q1"), "t") is Claim.DUPLICATE
        assert await store.claim(question("Q2"), "t") is Claim.QUEUED


async def test_write_with_an_unconfirmed_commit_may_be_repeated(
    postgres: Server, url: str, database: Database
) -> None:
    async with database_behind_proxy(postgres, url) as (proxy, cut_off):
        store = Store(cut_off, replica="one")
        await Store(database, replica="two").claim(question("Q1"), "t")
        await Store(database, replica="two").claim(question("Q2"), "t")
        proxy.lose_response_to = b"COMMIT;"
        with pytest.raises(CommitUnknown):
            await store.take_over("Q2", 1, count_crash=True)
        [found] = await store.get_unfinished_turns("one")
        assert (found.question.id, found.fence, found.crash_count) == ("Q2", 2, 1)
        for again, says in (
            (lambda: close_turn(Store(cut_off, replica="two"), "Q1"), set()),
            (lambda: store.promote("Q2", 2), found.question),
        ):
            proxy.lose_response_to = b"COMMIT;"
            with pytest.raises(CommitUnknown):
                await again()
            assert await again() == says


async def test_postgres_write_that_is_cancelled_leaves_no_lock_and_no_transaction(
    postgres: Server, url: str, stores: Stores, other: AsyncConnection
) -> None:
    one, two = await stores("one"), await stores("two")
    await other.execute(text("INSERT INTO claims VALUES ('event:Q1', 'Q0', 1.0)"))
    claiming = asyncio.create_task(one.claim(question("Q1"), None))
    await _somebody_waits_for_a_lock(postgres)
    claiming.cancel()
    await asyncio.wait({claiming})
    assert claiming.cancelled()
    await other.rollback()
    await _nothing_runs(postgres, url)
    assert await two.claim(question("Q1"), None) is Claim.CLAIMED
    await one.heartbeat()
    assert await two.get_turn("Q1") is not None, "only the unconfirmed claim is undone"


async def test_postgres_write_that_waits_for_a_lock_times_out(
    url: str, database: Database, other: AsyncConnection
) -> None:
    async with open_database(url, timeout_seconds=0.3) as impatient:
        await other.execute(text("INSERT INTO claims VALUES ('event:Q1', 'Q0', 1.0)"))
        begun = time.monotonic()
        with pytest.raises(StorageUnavailable):
            await Store(impatient, replica="one").claim(question("Q1"), None)
        assert time.monotonic() - begun < 1.5
        await other.rollback()
        assert await Store(database, replica="two").claim(question("Q1"), None) is Claim.CLAIMED


async def test_notification_listener_reconnects_after_a_lost_connection(
    postgres: Server, stores: Stores
) -> None:
    one, two = await stores("one"), await stores("two")
    async with asyncio.timeout(5):
        await one.wakeup.wait()
        one.wakeup.clear()
        postgres.restart()
        await one.wakeup.wait()  # anything may have been said meanwhile
        one.wakeup.clear()
        await two.release([])
        await one.wakeup.wait()


async def test_permanent_postgres_error_is_raised_without_a_retry(postgres: Server) -> None:
    for wrong, says in (
        (postgres.url("stranger"), "stranger"),
        (postgres.url().replace("/postgres", "/nowhere"), "nowhere"),
    ):
        async with open_database(wrong, timeout_seconds=60) as database:
            for work in (database.check_writable, database.migrate):
                with pytest.raises(StorageError, match=rf"can't be written .*{says}.* server runs"):
                    await work()


async def test_postgres_that_is_not_up_yet_is_a_transient_error(
    postgres: Server,
) -> None:
    async with open_database(postgres.url(port=1), timeout_seconds=0.1) as database:
        with pytest.raises(StorageUnavailable, match=r"can't be written .*Connect call failed"):
            await database.check_writable()
    async with open_database(postgres.url("stranger")) as database:
        with pytest.raises(StorageError) as caught:
            await database.check_writable()
        assert not isinstance(caught.value, StorageUnavailable)


async def test_postgres_user_without_create_permission_is_a_permanent_error(
    postgres: Server, url: str
) -> None:
    role = make_url(url).username
    await postgres.execute(f"REVOKE ALL ON SCHEMA {role} FROM {role}")
    await postgres.execute(f"ALTER SCHEMA {role} OWNER TO bot")
    async with open_database(url, timeout_seconds=60) as database:
        with pytest.raises(StorageError, match=r"can't be written .*may create tables"):
            await database.check_writable()
    await postgres.execute(f"DROP SCHEMA {role} CASCADE")


async def _somebody_waits_for_a_lock(postgres: Server) -> None:
    await _until(postgres, "SELECT count(*) > 0 FROM pg_stat_activity WHERE wait_event_type='Lock'")


async def _nothing_runs(postgres: Server, url: str) -> None:
    ours = f"usename = '{make_url(url).username}' AND state != 'idle'"
    await _until(postgres, f"SELECT count(*) = 0 FROM pg_stat_activity WHERE {ours}")


async def _until(postgres: Server, question: str) -> None:
    async with asyncio.timeout(5):
        while (await postgres.execute(question))[0] != (True,):  # noqa: ASYNC110  it does not tell
            await asyncio.sleep(0.01)


async def test_connections_that_a_fail_over_left_read_only_are_replaced(
    url: str, stores: Stores
) -> None:
    """A connection that was made before leads to a server that is only read; a new one does not."""
    role = make_url(url).username
    admin = create_async_engine(url, isolation_level="AUTOCOMMIT")
    async with admin.connect() as connection:
        set_to = f"ALTER ROLE {role} SET default_transaction_read_only = "
        await connection.execute(text(set_to + "on"))
        store = await stores("one")
        waiting = [asyncio.create_task(store.get_owners()) for _ in range(6)]
        await asyncio.gather(*waiting)  # the pool is full of them
        await connection.execute(text(set_to + "off"))
        began = time.monotonic()
        claims = await asyncio.gather(*(store.claim(question(f"Q{n}"), None) for n in range(12)))
        assert claims == [Claim.CLAIMED] * 12
        assert time.monotonic() - began < PATIENCE / 2
    await admin.dispose()


async def test_notification_listener_moves_to_the_new_server_after_a_fail_over(
    url: str, stores: Stores, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The connection that listens stands, and leads to a server that is only read."""
    monkeypatch.setattr(notifications, "LIVENESS_CHECK_SECONDS", 0.1)
    role = make_url(url).username
    admin = create_async_engine(url, isolation_level="AUTOCOMMIT")
    async with admin.connect() as connection:
        set_to = f"ALTER ROLE {role} SET default_transaction_read_only = "
        await connection.execute(text(set_to + "on"))
        one = await stores("one")
        async with asyncio.timeout(5):
            await one.wakeup.wait()
            one.wakeup.clear()
            await connection.execute(text(set_to + "off"))
            await one.wakeup.wait()  # another connection listens
    await admin.dispose()


async def test_notification_listener_keeps_its_connection_to_a_writable_server(
    stores: Stores, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notifications, "LIVENESS_CHECK_SECONDS", 0.01)
    one = await stores("one")
    await one.wakeup.wait()
    one.wakeup.clear()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.3):
            await one.wakeup.wait()
