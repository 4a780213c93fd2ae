import { createServer } from "node:http";
import { greeting } from "@example/greetings";

createServer((request, response) => {
  response.setHeader("content-type", "text/plain");
  response.end(greeting("Turborepo"));
}).listen(process.env.PORT);
