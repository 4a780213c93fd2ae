import { Hono } from "hono";

const app = new Hono();

app.get("/", (context) => context.text(`Answered by Bun ${Bun.version}`));

export default { port: Number(process.env.PORT), fetch: app.fetch };
