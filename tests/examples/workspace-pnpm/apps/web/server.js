import { createServer } from "node:http";
import { greeting } from "@example/greetings";

createServer((request, response) => {
  response.setHeader("content-type", "text/plain");
  response.end(greeting("pnpm"));
}).listen(process.env.PORT);
