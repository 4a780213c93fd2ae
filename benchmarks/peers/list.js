// The peers of benchmarks/api_list.py: the same endpoint with Express 5 or Fastify, and pg.
// Like ours: the token is looked up, then one page of the caller's deployments is read.
import crypto from "node:crypto";
import pg from "pg";

const [kind, port] = process.argv.slice(2);
const pool = new pg.Pool({ host: process.env.PGSOCKET, user: "postgres", database: "windlass", max: 5 });

const WHO = {
  name: "who",
  text: `select u.id, u.email, u.name, t.id as credential from tokens t
         join users u on u.id = t.user_id where t.digest = $1`,
};
const PAGE = {
  name: "page",
  text: `select d.id, d.project_id, p.name as project_name, p.slug as project_slug, d.status, d.branch,
         d.commit_sha, d.commit_message, d.host, d.site_slug, d.build_time_seconds, d.is_active,
         d.is_preview, d.error_code, d.error_message, d.attempt, d.note, d.promoted_at, d.promoted_by,
         d.plan, d.file_count, d.size_bytes, d.created_at, d.started_at, d.finished_at
         from deployments d join projects p on p.id = d.project_id
         where d.owner_id = $1 order by d.created_at desc, d.id desc limit $2`,
};

async function list(authorization, limit) {
  const token = (authorization ?? "").replace(/^Bearer /, "");
  const digest = crypto.createHash("sha256").update(token).digest();
  const who = await pool.query({ ...WHO, values: [digest] });
  if (who.rows.length === 0) return null;
  const page = await pool.query({ ...PAGE, values: [who.rows[0].id, limit + 1] });
  const data = page.rows.slice(0, limit).map((row) => ({
    id: `depl_${row.id}`, projectId: `proj_${row.project_id}`,
    project: { name: row.project_name, slug: row.project_slug },
    status: row.status.toLowerCase(), branch: row.branch, commitSha: row.commit_sha,
    commitMessage: row.commit_message, url: `http://${row.host}:8000`, siteSlug: row.site_slug,
    buildTimeSeconds: row.build_time_seconds, isActive: row.is_active, isPreview: row.is_preview,
    errorCode: row.error_code, errorMessage: row.error_message, attempt: row.attempt, note: row.note,
    promotedAt: row.promoted_at, promotedBy: row.promoted_by, plan: row.plan,
    fileCount: row.file_count, sizeBytes: row.size_bytes, createdAt: row.created_at,
    startedAt: row.started_at, finishedAt: row.finished_at,
  }));
  const last = page.rows[limit - 1];
  const cursor = page.rows.length > limit
    ? Buffer.from(JSON.stringify(["-createdAt", last.created_at, last.id])).toString("base64url")
    : undefined;
  return { ok: true, data, meta: { pagination: { hasMore: cursor !== undefined, cursor } } };
}

const headers = { "api-version": "2026-02-12", "x-content-type-options": "nosniff", "x-frame-options": "DENY" };

if (kind === "express") {
  const { default: express } = await import("express");
  const app = express();
  app.disable("x-powered-by");
  app.disable("etag");
  app.get("/api/deployments", async (request, response) => {
    const answer = await list(request.get("authorization"), Number(request.query.limit ?? 20));
    response.set(headers).set("x-request-id", crypto.randomUUID());
    answer ? response.json(answer) : response.status(401).json({ ok: false });
  });
  app.listen(Number(port), "127.0.0.1");
} else {
  const { default: fastify } = await import("fastify");
  const app = fastify();
  app.get("/api/deployments", async (request, reply) => {
    const answer = await list(request.headers.authorization, Number(request.query.limit ?? 20));
    reply.headers(headers).header("x-request-id", crypto.randomUUID());
    return answer ?? reply.code(401).send({ ok: false });
  });
  await app.listen({ port: Number(port), host: "127.0.0.1" });
}
