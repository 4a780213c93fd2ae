from flask import Flask, request

app = Flask(__name__)


@app.get("/")
def home() -> str:
    return "<h1>Flask answers</h1>"


@app.post("/echo")
def echo() -> bytes:
    return request.get_data()


if __name__ == "__main__":
    app.run(debug=True)
