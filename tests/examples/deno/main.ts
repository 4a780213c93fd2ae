const port = Number(Deno.env.get("PORT"));

Deno.serve({ port }, () => new Response("Answered by Deno"));
