"""Writes synthetic-80-jobs.swf: made-up jobs by a seeded generator, of nobody's machine.

python examples/traces/synthetic.py > examples/traces/synthetic-80-jobs.swf
"""

from random import Random

PROCESSORS, JOBS, SITES, SEED = 64, 80, 3, 7
HEAD = f"""\
; SYNTHETIC: made up by synthetic.py with seed {SEED}, of no real machine and no real users
; Version: 2.2
; MaxProcs: {PROCESSORS}
; Note: field 16 (partition) is a site, 1 to {SITES}
"""


def main() -> None:
    """Every third user asks for wide jobs; all ask for more time than they need, as people do."""
    rng = Random(SEED)
    print(HEAD, end="")
    submit = 0
    for job in range(1, JOBS + 1):
        submit += round(rng.expovariate(1 / 150))
        user = rng.randint(1, 6)
        width = rng.choice((16, 32, 48)) if user % 3 == 0 else rng.choice((1, 2, 4, 8))
        runtime = max(20, round(rng.lognormvariate(6.6, 1.2)))
        asked = min(43_200, 600 * -(-round(runtime * rng.uniform(1.1, 6)) // 600))
        row = [job, submit, -1, runtime, width, -1, -1, width, asked, -1, 1, user, 1, user, 1]
        print(*row, rng.randint(1, SITES), -1, -1)


if __name__ == "__main__":
    main()
