defmodule Hello do
  @moduledoc "The smallest server: one process that answers, nothing is fetched."
  use Application

  def start(_type, _arguments) do
    port = String.to_integer(System.get_env("PORT", "3000"))
    options = [:binary, packet: :http_bin, active: false, reuseaddr: true]
    {:ok, listener} = :gen_tcp.listen(port, options)
    Supervisor.start_link([{Task, fn -> accept(listener) end}], strategy: :one_for_one)
  end

  defp accept(listener) do
    {:ok, socket} = :gen_tcp.accept(listener)
    {:ok, _request} = :gen_tcp.recv(socket, 0)
    body = "Answered by Elixir\n"

    head =
      "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\n" <>
        "content-length: #{byte_size(body)}\r\nconnection: close\r\n\r\n"

    :gen_tcp.send(socket, head <> body)
    :gen_tcp.close(socket)
    accept(listener)
  end
end
