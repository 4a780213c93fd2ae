// The peer of benchmarks/webhooks.py: a receiver of GitHub's pushes with Express 5 and pg.
// The signature over the body as it came, then one transaction: for each project of the repository
// whether this delivery was seen, and the row that starts a build.
import crypto from "node:crypto";
import express from "express";
import pg from "pg";

const [port, secret] = process.argv.slice(2);
const pool = new pg.Pool({ host: process.env.PGSOCKET, user: "postgres", database: "windlass", max: 5 });

function isGenuine(request) {
  const given = Buffer.from(request.get("x-hub-signature-256") ?? "");
  const found = crypto.createHmac("sha256", secret).update(request.body).digest("hex");
  const wanted = Buffer.from(`sha256=${found}`);
  return given.length === wanted.length && crypto.timingSafeEqual(given, wanted);
}

async function take(projects, delivery, push) {
  const client = await pool.connect();
  try {
    await client.query("begin");
    for (let project = 0; project < projects; project++) {
      const seen = await client.query({
        name: "seen",
        text: "insert into peer_seen values ($1, $2) on conflict do nothing",
        values: [project, delivery],
      });
      if (seen.rowCount === 0) continue;
      await client.query({
        name: "row",
        text: "insert into peer_rows values ($1, $2, $3)",
        values: [crypto.randomUUID(), project, push.head_commit.message],
      });
    }
    await client.query("commit");
  } finally {
    client.release();
  }
}

const app = express();
app.disable("x-powered-by");
app.post("/hook/:projects", express.raw({ type: () => true, limit: "4mb" }), async (request, response) => {
  if (!isGenuine(request)) return response.status(401).json({ ok: false });
  const push = JSON.parse(request.body);
  await take(Number(request.params.projects), request.get("x-github-delivery"), push);
  response.status(202).json({ ok: true });
});
app.listen(Number(port), "127.0.0.1");
