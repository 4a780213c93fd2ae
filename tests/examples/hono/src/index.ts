import { serve } from "@hono/node-server";
import { Hono } from "hono";

const app = new Hono();

app.get("/", (context) => context.text("Answered by Hono"));
serve({ fetch: app.fetch, port: 8787 });
