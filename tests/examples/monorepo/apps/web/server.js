const { greeting } = require("@example/greeting");
const http = require("node:http");

http.createServer((request, response) => response.end(greeting)).listen(process.env.PORT);
