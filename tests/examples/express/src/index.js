const express = require("express");

const app = express();
const port = 4567; // a fixed port is found, too

app.get("/", (request, response) => response.send("<h1>Express answers</h1>"));
app.get("/api/echo/:word", (request, response) => response.json({ word: request.params.word }));
app.listen(port);
