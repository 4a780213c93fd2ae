Bun.serve({
  port: Number(process.env.PORT),
  fetch: () => new Response("Answered by Bun"),
});
