exports.greeting = "Greetings from the workspace";
