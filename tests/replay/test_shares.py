"""Three projects with shares 1:2:4 and more work than there is room, over centres of three kinds."""

from dataclasses import replace

import numpy as np
import pytest

from baygrid.core.placement.policy_file import parse
from baygrid.replay.whatif import Past, Setting, simulate
from baygrid.replay.whatif_report import Window, figures
from tests.core.region import centre, job, nodes, offer

HOUR = 3_600_000
PROJECTS = ("one", "two", "four")
SETTING = Setting(
    (
        centre("managed", gpu=nodes(6, H100=4)),
        centre("slurm", gpu=nodes(8, H100=8)),
        centre("ray", gpu=nodes(4, A100=8)),
    ),
    (
        offer("managed/gpu", "H100", price=11),
        offer("slurm/gpu", "H100", price=10),
        offer("ray/gpu", "A100", price=9),
    ),
    parse(
        {
            "shares": {"uni/one": 1, "uni/two": 2, "uni/four": 4},
            "centres": {
                "slurm": {"managed": False, "max_pending": 4},
                "ray": {"managed": False, "max_pending": 2},
            },
        }
    ),
)


def backlog(seed: int, jobs: int) -> list[Past]:
    """So many jobs of each project, all there from the beginning, of unequal sizes, limits and lengths."""
    rng = np.random.default_rng(seed)
    made = []
    for project in PROJECTS:
        for n in range(jobs):
            count = rng.choice([1, 2, 4])
            asks = f"H100:{count} A100:{count}"
            like = job(f"{project}-{n}", asks, cpus=2, gib=8, hours=int(rng.choice([2, 4])))
            demand = replace(like, project=project, organisation="uni", user=f"user-of-{project}")
            made.append(Past(demand, float(rng.uniform(0.1, 1)) * demand.time_s, "H100"))
    return made


@pytest.mark.slow
@pytest.mark.timeout(600)  # 16 seconds of work, on a machine that may be busy
def test_each_gets_what_it_is_entitled_to():
    """35 hours of work: in 8 one gang more or less is already a tenth of the smallest share."""
    history = backlog(4, 600)
    course = simulate(SETTING, history, 30_000, {})
    last = {run.job.partition("-")[0]: 0 for run in course.runs}
    for run in course.runs:
        project = run.job.partition("-")[0]
        last[project] = max(last[project], run.start)
    busy = Window(0, min(last.values()))  # while nobody's backlog has run dry
    told = figures(SETTING, history, course, busy)
    had = {name: row["had"] for name, row in told["fairness"]["projects"].items()}
    for name, weight in zip(PROJECTS, (1, 2, 4), strict=True):
        assert had[name] == pytest.approx(weight / 7, rel=0.05), had
    assert all(
        use > 0.85 for each in told["utilisation"].values() for model, use in each.items() if model != "cpu"
    )
