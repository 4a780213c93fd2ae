"""Page: what the processes of an app write, with search and live."""

import asyncio
from urllib.parse import urlencode

from litestar import get
from litestar.params import FromQuery

from windlass.auth.deps import CurrentActor
from windlass.auth.permissions import Permission
from windlass.core.http import DB, Request
from windlass.core.runtime_log import LETTERS
from windlass.deployments import listing, runtime_logs
from windlass.deployments.deps import InDeployment
from windlass.deployments.runtime_logs import Wanted
from windlass.deployments.runtime_routes import folder_of
from windlass.web.page import page
from windlass.web.posts import Answer

_LINES = 300
_LONGEST = 200


@get("/deployments/{deployment_id:str}/runtime", permission=Permission.deploy_read)
async def show_runtime_log(
    request: Request,
    db: DB,
    actor: CurrentActor,
    deployment: InDeployment,
    process: FromQuery[str] = "",
    search: FromQuery[str] = "",
    level: FromQuery[str] = "",
    cursor: FromQuery[str] = "",
) -> Answer:
    where = folder_of(request, deployment)
    asked = {"process": process, "search": search[:_LONGEST], "level": level}
    wanted = Wanted(
        process=process or None,
        search=asked["search"],
        level=next((one for one in LETTERS if one == level), None),
    )
    ends = await asyncio.to_thread(runtime_logs.ends, where)
    after = runtime_logs.text(ends)
    found = await asyncio.to_thread(
        runtime_logs.newest, where, wanted, limit=_LINES, cursor=cursor or after or None
    )
    settings = request.app.state.settings
    return page(
        request,
        "deployments/runtime.html",
        user=actor,
        deployment=listing.read(await listing.one_in(db, settings, deployment.id, by=actor)),
        lines=found.lines[::-1],
        processes=await asyncio.to_thread(runtime_logs.processes, where),
        values=asked,
        older=found.cursor,
        after=after,
        is_newest=not cursor,
        query=urlencode({name: value for name, value in asked.items() if value}),
    )
