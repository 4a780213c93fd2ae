"""The comment of each pull request says how its preview is, also when its host was away."""

import datetime as dt

from sqlalchemy import and_

from windlass.adapters import git_comments, git_hosts
from windlass.adapters.guarded import Client, FetchFailed
from windlass.adapters.world import addresses_of
from windlass.core import clock, log
from windlass.core.context import Ctx
from windlass.core.loop import Step, reconciles
from windlass.previews.models import Preview
from windlass.webhooks import commenting

# A host that is away for longer is not told any more.
PATIENCE = dt.timedelta(days=1)
_WAIT_SECONDS = (2, 10, 60, 300, 900)


@reconciles(
    Preview,
    when=lambda: and_(Preview.pull_number.is_not(None), Preview.news != Preview.told),
    lease=30,
)
async def comment(ctx: Ctx, preview: Preview) -> Step:
    """Say what there is to say now. Only one does it at a time, so there is one comment."""
    async with ctx.transaction() as db:
        found = await commenting.comment_of(db, ctx.settings, preview.id, ctx.keys)
    told = {"told": preview.news, "comment_error": None}
    if found is None:
        return Step(told, again_in=0)
    kind = found.host.value
    try:
        if git_hosts.api_of(kind, found.repository_key, found.repository_url) != found.api_url:
            raise git_hosts.Refused("The repository moved to another host; give the token anew")
        client = Client(addresses_of(ctx.settings))
        id = await git_comments.put(
            client, kind, found.api_url, found.repository, found.token, found.comment
        )
    except git_hosts.Refused as error:
        return Step(told | {"comment_error": str(error)[:500]}, again_in=0)
    except FetchFailed as error:
        return _later(preview, str(error))
    return Step(told | {"comment_id": id}, again_in=0)


def _later(preview: Preview, reason: str) -> Step:
    error = {"comment_error": reason[:500]}
    if preview.news_at is not None and clock.now() - preview.news_at > PATIENCE:
        log.get().warning("webhooks.gave_up", preview=str(preview.id), error=reason)
        return Step(error | {"told": preview.news}, again_in=0)
    wait = _WAIT_SECONDS[min(preview.loop_failures, len(_WAIT_SECONDS) - 1)]
    return Step(error | {"loop_failures": preview.loop_failures + 1}, again_in=wait)
