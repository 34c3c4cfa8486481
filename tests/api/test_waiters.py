"""Waking: no commit between the look and the wait is missed."""

import asyncio
import threading

from baygrid.api.waiters import Hub
from tests.api.world import waiting


def test_a_wake_between_the_look_and_the_wait_is_not_lost():
    hub = Hub()

    async def main() -> bool:
        with hub.waiter("job:1") as waiter:
            hub.hear(frozenset({"job:1"}))  # after the registration, before the wait
            return await waiter.wait(5)

    assert asyncio.run(main())


def test_only_its_own_topics_wake_a_waiter_and_a_star_wakes_all():
    hub = Hub()

    async def main() -> list[bool]:
        with hub.waiter("job:1", "log:1") as waiter:
            hub.hear(frozenset({"job:2", "events"}))
            found = [await waiter.wait(0.02)]
            for topic in ("log:1", "*"):
                hub.hear(frozenset({topic}))
                found.append(await waiter.wait(5))
            return found

    assert asyncio.run(main()) == [False, True, True]


def test_wakes_come_from_other_threads_and_add_up_to_one():
    hub = Hub()

    async def main() -> tuple[bool, bool]:
        with hub.waiter("job:1") as waiter:
            threads = [threading.Thread(target=hub.hear, args=(frozenset({"job:1"}),)) for _ in range(20)]
            for thread in threads:
                thread.start()
            first = await waiter.wait(5)
            for thread in threads:
                thread.join()
            await asyncio.sleep(0.01)
            await waiter.wait(0.01)
            return first, await waiter.wait(0.01)

    assert asyncio.run(main()) == (True, False)


def test_a_loop_that_has_ended_harms_nobody():
    hub = Hub()

    async def main() -> None:
        hub.add(hub.waiter("job:1"))

    asyncio.run(main())
    hub.hear(frozenset({"job:1"}))
    assert waiting(hub, "job:1") == 1


def test_a_closed_hub_lets_nobody_wait():
    hub = Hub()
    hub.close()

    async def main() -> bool:
        with hub.waiter("job:1") as waiter:
            return await waiter.wait(60)

    assert asyncio.run(main())
