GREETING = "Starlette answers"
