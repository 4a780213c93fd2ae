var app = WebApplication.CreateBuilder(args).Build();

app.MapGet("/", () => "Answered by .NET");
app.Run();
