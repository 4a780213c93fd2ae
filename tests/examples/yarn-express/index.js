const app = require("express")();

app.get("/", (request, response) => response.send("Installed by Yarn 1"));
app.listen(process.env.PORT);
