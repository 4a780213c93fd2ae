const http = require("node:http");

http
  .createServer((request, response) => {
    response.setHeader("Content-Type", "text/plain");
    response.end(`Node.js answers ${request.url}\n`);
  })
  .listen(process.env.PORT || 8080);
