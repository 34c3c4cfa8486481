"""What every test may ask for, and the rule that nothing is skipped unseen in CI."""

import contextlib
import os
import signal
from collections.abc import Callable, Generator, Iterator

import pytest
from hypothesis import HealthCheck, settings

pytest.register_assert_rewrite("tests.faults.checks")  # the campaign asks them too

from tests import engines, services  # noqa: E402

IN_CI = os.environ.get("CI") == "true"

# Started in the background we may have Ctrl-C ignored, which every program that a test starts would inherit.
signal.signal(signal.SIGINT, signal.default_int_handler)

# The reasons, by their first words, for which CI may skip a test. Any other skip is a hole in the set-up.
MAY_SKIP = (
    "needs ../shared",
    "needs non-root",
    "needs a built Kubernetes",
    "needs a CPU with bf16",
    "needs a kernel that runs containers",
    "needs a shell that few have",
)

settings.register_profile("ci", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("dev", deadline=None)
settings.load_profile("ci" if IN_CI else "dev")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whoever asks for PostgreSQL is marked so; `make check` has neither that nor npm's model nor fonts."""
    for item in items:
        asked = set(getattr(item, "fixturenames", ()))
        if {"postgres", "new_database"} & asked:
            item.add_marker("postgres")
        if {"nanodet_file", "fonts"} & asked:
            item.add_marker("slow")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if not hasattr(report, "wasxfail"):
        _fail_if_skipped_unseen(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    _fail_if_skipped_unseen(report)
    return report


def _fail_if_skipped_unseen(report: pytest.TestReport | pytest.CollectReport) -> None:
    if not (IN_CI and report.skipped):
        return
    reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    reason = reason.removeprefix("Skipped: ")
    if not reason.startswith(MAY_SKIP):
        report.outcome = "failed"
        report.longrepr = f"{report.nodeid} was skipped, which CI does not allow (see MAY_SKIP): {reason}"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Which centre can do what, of those whose suite of behaviour ran."""
    reports = terminalreporter.stats.get("passed", [])
    found = [value for one in reports for name, value in one.user_properties if name == "capabilities"]
    if found:
        terminalreporter.section("capabilities")
        words = sorted({word for _, able in found for word in able})
        terminalreporter.write_line(f"{'':24}" + "  ".join(words))
        for suite, able in sorted(found):
            marks = "  ".join(("yes" if word in able else "-").ljust(len(word)) for word in words)
            terminalreporter.write_line(f"{suite.removeprefix('Test'):24}{marks}")


@pytest.fixture(scope="session")
def fonts() -> None:
    from baygrid.papers import pdf  # here, for most tests set no paper

    if "Noto Sans CJK SC" not in pdf._families():
        pytest.skip("needs fonts: scripts/fonts.sh install")


@pytest.fixture(scope="session")
def postgres() -> Iterator[services.Postgres]:
    """This worker's own PostgreSQL server."""
    with services.postgres() as server:
        yield server


@pytest.fixture
def new_database(request: pytest.FixtureRequest) -> Iterator[Callable[[], str]]:
    """Makes empty PostgreSQL databases, as SQLAlchemy addresses; they are dropped when the test ends."""
    try:
        server: services.Postgres = request.getfixturevalue("postgres")
    except services.Missing as missing:
        if IN_CI:
            raise
        pytest.skip(str(missing))
    names: list[str] = []

    def new() -> str:
        names.append(server.create())
        return server.url(names[-1])

    yield new
    for name in names:
        server.drop(name)


@pytest.fixture
def postgres_url(new_database: Callable[[], str]) -> str:
    """The SQLAlchemy address of an empty PostgreSQL database that is this test's alone."""
    return new_database()


@pytest.fixture(scope="session")
def ray() -> Iterator[engines.Ray]:
    """This worker's own Ray cluster."""
    with contextlib.ExitStack() as stack:
        try:
            cluster = stack.enter_context(engines.ray())
        except services.Missing as missing:
            if IN_CI:
                raise
            pytest.skip(str(missing))
        yield cluster


@pytest.fixture(scope="session")
def podman() -> Iterator[dict[str, str]]:
    """The environment of a Podman with a store of this worker's own."""
    with contextlib.ExitStack() as stack:
        try:
            environ = stack.enter_context(engines.podman())
        except services.Missing as missing:
            if IN_CI and not str(missing).startswith(MAY_SKIP):
                raise
            pytest.skip(str(missing))
        yield environ


@pytest.fixture(scope="session")
def s3_endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real S3 server with one bucket, `bay`, and the keys of `services.S3_KEYS`."""
    with services.s3(tmp_path_factory.mktemp("s3")) as endpoint:
        yield endpoint
