const Koa = require("koa");

const app = new Koa();

app.use((context) => {
  context.body = { text: "Answered by Koa" };
});
app.listen(process.env.PORT);
