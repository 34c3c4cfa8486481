"""Recipients of shares: who holds a token to read with, and the link by which it is had once."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse

from baygrid.api import contract_bodies, contract_schemas, paging, render, render_contracts, schemas
from baygrid.api.delta.edge import PREFIX
from baygrid.api.edge import Caller, Json, Route, reads, server_of
from baygrid.app import recipients

router = APIRouter(route_class=Route, tags=["contracts"])
_PAGE: Final = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Delta Sharing profile</title>
<h1>Delta Sharing profile</h1>
<p>This link gives the file with which you read shared tables, once.
Keep it for yourself: it holds your token.</p>
<p lang="zh-Hans">此链接只能下载一次读取共享数据表的配置文件。文件内含您的令牌，请勿转交他人。</p>
<p lang="zh-Hant">此連結只能下載一次讀取共享資料表的設定檔。檔案內含您的權杖，請勿轉交他人。</p>
<p lang="ja">このリンクから、共有テーブルを読むための設定ファイルを一度だけ入手できます。
トークンを含むため、他人に渡さないでください。</p>
<form method="post"><button>Download · 下载 · 下載 · ダウンロード</button></form>
</html>
"""


@router.get("/v1/recipients", response_model=schemas.Listing[contract_schemas.Recipient])
def list_recipients(call: Caller, limit: paging.Limit = paging.DEFAULT, cursor: paging.After = None) -> Json:
    """Of the project; of an operator all."""
    rows = recipients.recipients(call.platform, call.actor)
    page, next = paging.window(rows, lambda it: it.row.id, cursor, limit)
    return Json(render.items(map(render_contracts.recipient, page), next))


@router.post("/v1/recipients", status_code=201, response_model=contract_schemas.ActivationLink)
def add_recipient(
    call: Caller, body: Annotated[contract_bodies.NewRecipient, reads(contract_bodies.NewRecipient)]
) -> Json:
    """The answer has the activation link, once."""
    made = recipients.add(call.platform, call.actor, body.project, body.name, body.days)
    return Json(render_contracts.link(made), 201)


@router.post("/v1/recipients/{recipient}/rotate", response_model=contract_schemas.ActivationLink)
def rotate_recipient(
    recipient: str,
    call: Caller,
    body: Annotated[contract_bodies.Rotation, reads(contract_bodies.Rotation)],
) -> Json:
    """Another link; the token of before works on for a while."""
    made = recipients.rotate(
        call.platform,
        call.actor,
        body.project,
        recipient,
        overlap_ms=body.overlap_hours * 3_600_000,
        days=body.days,
    )
    return Json(render_contracts.link(made))


@router.post("/v1/recipients/{recipient}/revoke", response_model=contract_schemas.Recipient)
def revoke_recipient(
    recipient: str, call: Caller, body: Annotated[contract_bodies.Whose, reads(contract_bodies.Whose)]
) -> Json:
    """All its tokens and links, at once."""
    return Json(
        render_contracts.recipient(recipients.revoke(call.platform, call.actor, body.project, recipient))
    )


@router.get("/v1/profiles/{link}", response_class=HTMLResponse)
def show_link(link: str) -> HTMLResponse:
    """A page with a button that asks for the profile: programs that look a link up before a person does, as
    those of mail, use nothing up."""
    return HTMLResponse(
        _PAGE, headers={"Cache-Control": "no-store", "Content-Security-Policy": "default-src 'none'"}
    )


@router.post("/v1/profiles/{link}", response_model=contract_schemas.SharingProfile)
def take_profile(link: str, request: Request) -> Json:
    """The profile with its token, for whoever has the link, once. Wants no other token."""
    endpoint = str(request.base_url).rstrip("/") + PREFIX
    headers = {"Content-Disposition": 'attachment; filename="profile.share"', "Cache-Control": "no-store"}
    platform = server_of(request).platform
    return Json(recipients.profile(platform, link, endpoint), headers=headers)
