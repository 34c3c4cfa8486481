"""What an operator sets up, and what a team then sees of it."""

from starlette.testclient import TestClient

from tests.api.world import World, job


def test_from_an_organisation_to_a_running_team(world: World, api: TestClient):
    operator = world.headers("operator")

    def post(url: str, **body):
        answer = api.post(url, json=body, headers=operator)
        assert answer.status_code == 201, answer.text
        return answer.json()

    assert post("/v1/organisations", name="lab", kind="institute", title="The Lab") == {
        "name": "lab", "kind": "institute", "title": "The Lab",
    }  # fmt: skip
    project = post("/v1/projects", name="vision", organisation="lab", currency="CNY", grant="100 CNY")
    assert project["free"] == {"minor": 100_00, "currency": "CNY", "text": "100.00 CNY"}
    assert (
        post("/v1/projects/vision/grants", amount="0.50 CNY", narration="a bit")["granted"]["minor"] == 100_50
    )
    made = post("/v1/centres", name="new", jurisdiction="CN-QH", driver="local")
    assert made["centre"]["seen_at"] is None
    agent = {"Authorization": f"Bearer {made['join_token']}"}
    assert api.get("/v1/me", headers=agent).json()["centre"] == "new"
    offer = post("/v1/offers", centre="new", partition="main", currency="CNY", cpu_hour="0.125")
    assert (offer["cpu_hour"], offer["gib_hour"], offer["accelerator"]) == ("0.125", "0", None)
    later = post(f"/v1/offers/{offer['id']}/tariffs", valid_from="2100-01-01T08:00+08:00", cpu_hour="9")
    assert later["cpu_hour"] == "0.125"
    assert [row["valid_from"] for row in later["tariffs"]][-1] == "2100-01-01T00:00:00.000Z"
    token = post("/v1/tokens", role="team", project="vision", label="vision team")
    team = {"Authorization": f"Bearer {token['token']}"}
    assert api.get("/v1/me", headers=team).json() == {
        "role": "team", "project": "vision", "centre": None, "label": "vision team", "user": None,
        "token": token["id"], "scopes": ["read", "use"],
    }  # fmt: skip
    submitted = api.post("/v1/jobs", json=job(), headers=team).json()
    assert submitted["project"] == "vision"
    (seen,) = api.get("/v1/projects", headers=team).json()["items"]
    assert seen["held"]["minor"] == submitted["hold"]["minor"]


def test_a_tariff_has_more_than_rates(world: World, api: TestClient):
    day = ["0.32"] * 8 + ["1.05"] * 14 + ["0.32"] * 2
    energy = {"price_kwh": day, "utc_offset": "+08:00", "watts_cpu": 5, "watts_accelerator": 0}
    terms = {"minimum_s": 60, "round_up_s": 1, "egress_gib": "0.5", "energy": energy}
    body = {"centre": "hub", "partition": "new", "currency": "CNY", "cpu_hour": "1", **terms}
    made = api.post("/v1/offers", json=body, headers=world.headers("operator")).json()
    assert {name: made[name] for name in terms} == terms
    plain = {"valid_from": "2100-01-01T08:00+08:00", "cpu_hour": "2"}
    url = f"/v1/offers/{made['id']}/tariffs"
    later = api.post(url, json=plain, headers=world.headers("operator")).json()["tariffs"]
    assert [row["minimum_s"] for row in later] == [60, 0]
    assert [row["energy"] for row in later] == [energy, None]


def test_pages(world: World, api: TestClient):
    team = world.headers("team")
    batch = {"jobs": [job(f"j{n}") for n in range(7)]}
    made = [row["id"] for row in api.post("/v1/jobs", json=batch, headers=team).json()["items"]]
    seen: list[str] = []
    cursor = ""
    while True:
        page = api.get(f"/v1/jobs?limit=3{cursor}", headers=team).json()
        seen += [row["id"] for row in page["items"]]
        if page["next"] is None:
            break
        cursor = f"&cursor={page['next']}"
    assert seen == made[::-1]
    assert len(api.get("/v1/jobs?state=QUEUED&state=ACTIVE", headers=team).json()["items"]) == 7
    assert api.get("/v1/jobs?state=FAILED", headers=team).json() == {"items": [], "next": None}
    first = api.get("/v1/centres?limit=1", headers=team).json()
    assert ([row["name"] for row in first["items"]], first["next"]) == (["far"], "far")
    second = api.get("/v1/centres?limit=1&cursor=far", headers=team).json()
    assert ([row["name"] for row in second["items"]], second["next"]) == (["hub"], None)


def test_a_batch_is_all_or_nothing(world: World, api: TestClient):
    team = world.headers("team")
    good = api.post("/v1/jobs", json={"project": "demo", "jobs": [job("a"), job("b")]}, headers=team)
    assert [row["name"] for row in good.json()["items"]] == ["a", "b"]
    assert {row["state"] for row in good.json()["items"]} == {"QUEUED"}
    before = world.dump()
    bad = api.post("/v1/jobs", json={"jobs": [job("c"), job("d", infra="moon")]}, headers=team)
    assert bad.status_code == 422
    assert world.dump() == before


def test_an_idempotency_key_gives_the_first_answer_again(world: World, api: TestClient):
    headers = world.headers("team") | {"Idempotency-Key": "k1"}
    first = api.post("/v1/jobs", json=job(), headers=headers)
    before = world.dump()
    again = api.post("/v1/jobs", json=job(), headers=headers)
    assert (again.status_code, again.content) == (201, first.content)
    assert again.headers["idempotency-replayed"] == "true"
    assert "idempotency-replayed" not in first.headers
    other = api.post("/v1/jobs", json=job("another"), headers=headers)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency-mismatch")
    long = api.post("/v1/jobs", json=job(), headers=headers | {"Idempotency-Key": "k" * 201})
    assert long.json()["problems"][0]["path"] == "Idempotency-Key"
    assert world.dump() == before
    rivals = world.headers("rival") | {"Idempotency-Key": "k1"}
    assert api.post("/v1/jobs", json=job(), headers=rivals).json()["project"] == "other"


def test_an_explanation_has_prices_and_reasons(world: World, api: TestClient):
    team = world.headers("team")
    answer = api.post("/v1/placements/explain", json=job("what-if"), headers=team).json()
    assert (answer["subject"], answer["outcome"]) == ("what-if", "would-place")
    assert answer["chosen"]["centre"] == "far"
    assert answer["chosen"]["cost"]["currency"] == "CNY"
    assert {row["verdict"] for row in answer["candidates"]} <= {"chosen", "possible", "busy", "no"}
    assert api.get("/v1/jobs", headers=team).json()["items"] == []
    id = api.post("/v1/jobs", json=job(), headers=team).json()["id"]
    assert api.get(f"/v1/jobs/{id}/explain", headers=team).json()["outcome"] in ("waiting", "would-place")
    world.place()
    placed = api.get(f"/v1/jobs/{id}", headers=team).json()
    assert (placed["state"], placed["centre"], placed["offer"]) == ("ACTIVE", "far", "far-cpu")
    assert placed["reasons"] == api.get(f"/v1/jobs/{id}/explain", headers=team).json()
    assert placed["reasons"]["outcome"] == "placed"


def test_a_bill_and_its_ledger(world: World, api: TestClient):
    team = world.headers("team")
    bill = api.get("/v1/projects/demo/bill?recompute=true&from=2026-01-01T00:00:00Z", headers=team).json()
    assert bill["total"] == {"minor": 0, "currency": "CNY", "text": "0.00 CNY"}
    assert bill["recomputed"] == {"lines": 0, "differences": []}
    text = api.get("/v1/projects/demo/bill?format=beancount", headers=team)
    assert text.headers["content-type"].startswith("text/plain")
    assert "CNY" in text.text
    operator = world.headers("operator")
    ledger = api.get("/v1/ledger?limit=1", headers=operator).json()
    assert ledger["items"][0]["postings"]
    assert len(api.get(f"/v1/ledger?cursor={ledger['next']}", headers=operator).json()["items"]) == 1
    balances = api.get("/v1/ledger/balances", headers=operator).json()["items"]
    assert sum(row["balance"]["minor"] for row in balances) == 0


def test_no_usage_of_a_time_that_ends_before_it_begins(world: World, api: TestClient):
    headers = world.headers("operator")
    for start, end in (
        ("2027-01-01T00:00Z", "2026-01-01T00:00Z"),
        ("2026-01-01T00:00Z", "2026-01-01T00:00Z"),
    ):
        asked = {"from": start, "to": end}
        answer = api.get("/v1/centres/far/usage", params=asked, headers=headers)
        assert answer.status_code == 422
        (problem,) = answer.json()["problems"]
        assert (problem["path"], problem["message"]) == (
            "to",
            "must be after `from`: nothing lies between them",
        )
    asked = {"from": "2026-01-01T00:00Z", "to": "2027-01-01T00:00Z"}
    assert api.get("/v1/centres/far/usage", params=asked, headers=headers).json()["items"] == []
