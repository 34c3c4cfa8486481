"""Several attempts on one device of this machine."""

from pathlib import Path

import pytest

from baygrid.centres.folder.files import Files
from baygrid.centres.local import parse_nodes
from baygrid.centres.local.share import NoRoom, Share, Shares
from baygrid.centres.local.spawn import environment
from tests.centres.site import NODES, order

HERE = parse_nodes([f"{NODES[0]}:cpus=8,memory=8,H100=2"])


def part(thousandths: int, slot: int, number: int):
    return order(
        number=number, accelerator="H100", accelerators=1,
        accelerator_share=thousandths, accelerator_slots=(slot,),
    )  # fmt: skip


def taken(shares: Shares, wanted) -> Share:
    share = shares.choose(wanted)
    shares.take(Share.from_json(share.to_json()))  # as it comes back from a claim
    return share


def test_those_of_one_slot_see_one_device_which_nobody_else_gets():
    shares = Shares(HERE)
    a, b = taken(shares, part(500, 7, 1)), taken(shares, part(500, 7, 2))
    assert a.visible() == b.visible() == ["0"]
    with pytest.raises(NoRoom, match=r"0\.0 of H100 0"):
        shares.choose(part(1, 7, 3))
    whole = taken(shares, order(number=4, accelerator="H100", accelerators=1))
    assert whole.visible() == ["1"]
    with pytest.raises(NoRoom, match="no H100 free"):
        shares.choose(part(100, 0, 5))
    shares.release(a)
    with pytest.raises(NoRoom, match="0 of 1 H100 free"):
        shares.choose(order(number=6, accelerator="H100", accelerators=1))
    assert taken(shares, part(500, 7, 7)).visible() == ["0"]
    shares.release(whole)
    assert taken(shares, part(100, 0, 5)).visible() == ["1"]


def test_the_last_one_frees_the_device():
    shares = Shares(HERE)
    some = [taken(shares, part(300, 0, n)) for n in range(3)]
    for share in some:
        shares.release(share)
    assert taken(shares, order(number=9, accelerator="H100", accelerators=2)).visible() == ["0,1"]


def test_a_job_is_told_its_part_of_the_device(tmp_path: Path):
    shares = Shares(HERE)
    wanted = part(500, 0, 1)
    told = environment(Files(str(tmp_path)), wanted, shares.choose(wanted), "here", "/bin")
    assert told["BAYGRID_ACCELERATOR_SHARE"] == "0.5"
    assert (told["CUDA_VISIBLE_DEVICES"], told["GPUS_PER_NODE"]) == ("0", "1")
    wanted = order(accelerator="H100", accelerators=1)
    told = environment(Files(str(tmp_path)), wanted, shares.choose(wanted), "here", "/bin")
    assert "BAYGRID_ACCELERATOR_SHARE" not in told


def test_an_order_that_names_no_slot_is_refused():
    with pytest.raises(NoRoom, match="does not say"):
        Shares(HERE).choose(order(accelerator="H100", accelerators=1, accelerator_share=500))
